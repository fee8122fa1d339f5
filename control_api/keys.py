"""API keys in a file of the data folder: whoever holds one may sign tokens for every room of this server."""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from media.errors import LocalError
from signaling.keys import StaticKeys

logger = logging.getLogger(__name__)

KEYS_FILE: Final = "keys.json"
KEYS_FILE_BYTES_MAX: Final = 1 << 20  # ten thousand keys; a larger file is something else
SECRET_BYTES: Final = 32  # of randomness, as many as the hash of HS256 has

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFileError(LocalError):
    """The key file cannot be used as it is; the message says what to do."""


class ApiKey(NamedTuple):
    """One key: its id goes into tokens, its secret signs them."""

    key_id: str
    secret: bytes


class _Version(NamedTuple):
    """Tells one content of the file from the next."""

    inode: int
    size_bytes: int
    modified_ns: int


class KeyFile:
    """The keys of a file (a `signaling.keys.KeyStore`), read again when it changed: no restart for a new key."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises KeyFileError if it is missing, open to other users or broken."""
        self._path = path
        self._version = _version(path)
        self._secrets = _read(path)
        self._keys = StaticKeys(self._secrets)

    @property
    def first(self) -> ApiKey:
        """The key to sign with when none is named."""
        key_id, secret = next(iter(self._secrets.items()))
        return ApiKey(key_id, secret)

    def secret(self, key_id: str) -> bytes | None:
        self._refresh()
        return self._keys.secret(key_id)

    def _refresh(self) -> None:
        """Take up a changed file. A broken one changes nothing: a slip of an editor must not lock everybody out."""
        try:
            version = _version(self._path)
            if version == self._version:
                return
            self._version = version
            self._secrets = _read(self._path)
            self._keys = StaticKeys(self._secrets)
        except (KeyFileError, ValueError) as error:
            logger.warning("key file is unusable, the keys read before stay", extra={"because": str(error)})


def open_keys(folder: Path) -> KeyFile:
    """Return the keys of a data folder; a folder without any gets its first one, readable by its owner alone."""
    path = folder / KEYS_FILE
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not path.exists():
            _write(path, {f"key-{secrets.token_hex(4)}": secrets.token_urlsafe(SECRET_BYTES)})
            logger.info("made the first API key", extra={"file": str(path)})
    except OSError as error:
        raise KeyFileError(f"data folder {folder} cannot be used: {error.strerror}") from None
    try:
        return KeyFile(path)
    except ValueError as error:  # a key that StaticKeys refuses
        raise KeyFileError(f"{path}: {error}") from None


def _read(path: Path) -> dict[str, bytes]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & OTHERS:
                raise KeyFileError(f"{path} is open to other users: chmod 600 {path}")
            content = file.read(KEYS_FILE_BYTES_MAX + 1)
        if len(content) > KEYS_FILE_BYTES_MAX:
            raise KeyFileError(f"{path} is larger than {KEYS_FILE_BYTES_MAX} bytes")
        keys = msgspec.json.decode(content, type=dict[str, str])
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise KeyFileError(f'{path} is not of the form {{"key id": "secret"}}: {error}') from None
    if not keys:
        raise KeyFileError(f"{path} holds no key; remove it to have one made")
    return {key_id: secret.encode() for key_id, secret in keys.items()}


def _write(path: Path, keys: Mapping[str, str]) -> None:
    """Write all or nothing, and never, not even for a moment, a file that others could read."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(keys, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # unlike a rename it does not replace what another process made meanwhile
    except FileExistsError:
        logger.debug("another process made the first API key", extra={"file": str(path)})
    finally:
        partial.unlink()


def _version(path: Path) -> _Version:
    try:
        status = path.stat()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    return _Version(status.st_ino, status.st_size, status.st_mtime_ns)
