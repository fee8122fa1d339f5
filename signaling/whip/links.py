"""Link headers that name ICE servers (RFC 9725 section 4.6, RFC 8288)."""

from __future__ import annotations

from signaling.whip.config import IceServer


def link_of(server: IceServer) -> str:
    """Return the value of one Link header."""
    parts = [f"<{server.url}>", 'rel="ice-server"']
    if server.username:
        parts += [
            f"username={_quote(server.username)}",
            f"credential={_quote(server.credential)}",
            'credential-type="password"',
        ]
    return "; ".join(parts)


def _quote(text: str) -> str:
    """Return a quoted-string (RFC 9110 section 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
