"""Which STUN and TURN servers clients are told of, with credentials of their own for some minutes. Pure.

The credentials are those of "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00), which coturn
(`use-auth-secret`) and others check with the shared secret alone: the user name is the time of expiry and a name, the
password an HMAC of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from control_api.contract.ice_servers import IceServer, IceServers
from control_api.keys.api_key import moment
from media.errors import LocalError
from signaling.whip.config import IceServer as LinkedServer

TTL_S_DEFAULT: Final = 600
TTL_S_MAX: Final = 600  # an allocation outlives it; who copies the credentials has ten minutes at most
TTL_S_MIN: Final = 30
SECRET_CHARACTERS_MIN: Final = 16
PSEUDONYM_BYTES: Final = 9

# RFC 7064 and 7065, with no user or path: host, port, and for TURN the transport.
_URL: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<transport>\?transport=(?:udp|tcp))?"
)


class IceSettingError(LocalError):
    """A setting that cannot work; the message says which and why."""


@dataclass(frozen=True, slots=True)
class IceSettings:
    """STUN and TURN servers; none by default: we are ICE-lite, and most networks reach us by UDP."""

    stun_urls: tuple[str, ...] = ()
    """E.g. "stun:turn.example.org". Seldom needed: clients learn their address from us."""
    turn_urls: tuple[str, ...] = ()
    """E.g. "turn:turn.example.org", "turns:turn.example.org:443?transport=tcp", for networks without UDP."""
    turn_secret: str | None = field(default=None, repr=False)
    """Shared with the TURN servers (coturn: `static-auth-secret`)."""
    ttl_s: int = TTL_S_DEFAULT
    """How long credentials may be used to begin with; at most ten minutes."""

    def __post_init__(self) -> None:
        for what, urls, schemes in (
            ("stun_urls", self.stun_urls, {"stun", "stuns"}),
            ("turn_urls", self.turn_urls, {"turn", "turns"}),
        ):
            for url in urls:
                _check_url(what, url, schemes)
        if self.turn_urls and self.turn_secret is None:
            raise IceSettingError("turn_urls need a turn_secret that is shared with those servers")
        if self.turn_secret is not None and len(self.turn_secret) < SECRET_CHARACTERS_MIN:
            raise IceSettingError(
                f"turn_secret has {len(self.turn_secret)} characters, expected {SECRET_CHARACTERS_MIN} or more"
            )
        if not TTL_S_MIN <= self.ttl_s <= TTL_S_MAX:
            raise IceSettingError(f"ttl_s is {self.ttl_s}, expected {TTL_S_MIN} to {TTL_S_MAX}")


def ice_servers_for(settings: IceSettings, name: str, *, wallclock: float) -> IceServers:
    """Return what somebody may use from now on (seconds since 1970, UTC).

    `name` is not told to the TURN server, which writes user names to its logs and anybody on the way reads: a pseudonym
    of it is, always the same, so that the server's quotas for one user count.
    """
    expires_at = math.floor(wallclock) + settings.ttl_s
    servers = [IceServer(urls=settings.stun_urls)] if settings.stun_urls else []
    if settings.turn_urls and settings.turn_secret is not None:
        secret = settings.turn_secret.encode()
        user = f"{expires_at}:{_pseudonym(secret, name)}"
        servers.append(IceServer(urls=settings.turn_urls, username=user, credential=turn_password(secret, user)))
    return IceServers(ice_servers=tuple(servers), ttl_s=settings.ttl_s, expires_at=moment(expires_at))


def turn_password(secret: bytes, user: str) -> str:
    """Return the password of a TURN user: base64 of HMAC-SHA1, as the draft says and TURN servers compute."""
    return base64.b64encode(hmac.digest(secret, user.encode(), hashlib.sha1)).decode()


def linked_servers(servers: IceServers) -> Sequence[LinkedServer]:
    """Return the same for Link headers (RFC 9725 section 4.6): one for each URL."""
    return [
        LinkedServer(url, server.username or "", server.credential or "")
        for server in servers.ice_servers
        for url in server.urls
    ]


def _pseudonym(secret: bytes, name: str) -> str:
    digest = hmac.digest(secret, b"name:" + name.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:PSEUDONYM_BYTES]).decode()


def _check_url(what: str, url: str, schemes: set[str]) -> None:
    found = _URL.fullmatch(url)
    if found is None or found["scheme"] not in schemes or not 0 < int(found["port"] or 1) < 65536:
        example = "turn:turn.example.org:3478?transport=udp" if "turn" in schemes else "stun:turn.example.org:3478"
        raise IceSettingError(f"{what} holds {url!r}, expected e.g. {example}")
    if found["transport"] and "turn" not in schemes:
        raise IceSettingError(f"{what} holds {url!r}: a STUN server has no transport")
