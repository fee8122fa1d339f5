"""The TLS certificate of the HTTP port: read again when its files change, without touching a connection that is there.

Each new certificate gets a context of its own, and every handshake is handed the newest one. A pair of files that
cannot be used (half written, key and certificate of different age) changes nothing and is told once; when the files
change again, they are tried again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from control_api.errors import StartError

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0  # two `stat` calls; whoever renews a certificate does so days before its end
EXPIRES_SOON_S: Final = 14 * 86_400.0
_PEM_BYTES_MAX: Final = 1 << 20

_Version = tuple[tuple[int, int, int], ...]


class CertificateFiles:
    """A certificate chain and its key, as they stand in two PEM files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read both; raises StartError if they cannot be used."""
        self._certificate = certificate
        self._key = key
        self._version = self._look()
        self.reloads = 0
        self.failures = 0
        try:
            self._current, self.expires_at = self._load()
        except (OSError, ValueError) as error:
            raise StartError(f"TLS certificate {certificate} with key {key}: {error}") from None
        self.context = self._current
        """For the listening socket; it hands each handshake to the newest context."""
        self.context.sni_callback = self._hand_over
        self._warn_of_expiry()

    def refresh(self, *, force: bool = False) -> None:
        """Take up changed files; with `force` also such as look unchanged."""
        version = self._look()
        if version == self._version and not force:
            return
        self._version = version
        try:
            self._current, self.expires_at = self._load()
        except (OSError, ValueError) as error:
            self.failures += 1
            logger.error(  # noqa: TRY400 - the message says it all
                "TLS files are unusable, the certificate read before stays",
                extra={"certificate": str(self._certificate), "key": str(self._key), "because": str(error)},
            )
            return
        self.reloads += 1
        logger.info("TLS certificate read again", extra={"expires_at": self.expires_at.isoformat()})
        self._warn_of_expiry()

    async def watch(self) -> None:
        """Look at the files now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.refresh()

    def _hand_over(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        connection.context = self._current

    def _load(self) -> tuple[ssl.SSLContext, datetime]:
        """Return a context and when its certificate expires; ssl.SSLError is an OSError."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # The callback instead of a prompt on the terminal.
        context.load_cert_chain(self._certificate, self._key, password=_refuse_password)
        with self._certificate.open("rb") as file:
            leaf = x509.load_pem_x509_certificates(file.read(_PEM_BYTES_MAX))[0]
        return context, leaf.not_valid_after_utc

    def _look(self) -> _Version:
        """Return what tells one content of the files from the next; a missing file is a content, too."""
        found = []
        for path in (self._certificate, self._key):
            try:
                status = path.stat()
            except OSError:
                found.append((0, 0, 0))
            else:
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _warn_of_expiry(self) -> None:
        left_s = (self.expires_at - datetime.now(UTC)).total_seconds()
        if left_s < EXPIRES_SOON_S:
            logger.warning("TLS certificate expires soon", extra={"expires_at": self.expires_at.isoformat()})


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; expected one without a pass phrase")
