"""From the HTTP request that wants to become a WebSocket to the grants of its token, or to a refusal in JSON."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from signaling.codes import HTTP_STATUS, ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.keys import KeyStore
from signaling.names import parse_room_name
from signaling.protocol import SUBPROTOCOL
from signaling.tokens import check_token

_BEARER_SUBPROTOCOL: Final = "bearer."


def admit(request: web.BaseRequest, room: str, keys: KeyStore, *, wallclock: float) -> Grants:
    """Return the grants for this room, or raise RequestError."""
    grants = check_token(_read_token(request), keys, wallclock=wallclock)
    try:
        name = parse_room_name(room)
    except ValueError as error:
        raise RequestError(ErrorCode.BAD_ROOM_NAME, str(error)) from error
    if name != grants.room:
        raise RequestError(ErrorCode.WRONG_ROOM, "the token is for another room")
    return grants


def check_upgrade(request: web.BaseRequest) -> None:
    """Raise RequestError if the client offers subprotocols and ours is not among them.

    aiohttp would go on and log what was offered instead, the token with it.
    """
    offered = _subprotocols(request)
    if offered and SUBPROTOCOL not in offered:
        raise RequestError(ErrorCode.BAD_SUBPROTOCOL, f"offer the subprotocol {SUBPROTOCOL} beside bearer.<token>")


def refuse(error: RequestError) -> web.Response:
    """Return the HTTP answer to an upgrade that is refused."""
    status = HTTP_STATUS[error.code]
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if error.retry_after_s is not None:
        headers[hdrs.RETRY_AFTER] = str(error.retry_after_s)
    if status == 426:
        headers[hdrs.UPGRADE] = "websocket"
    body = {"error": {"code": error.code.value, "message": error.message}}
    return web.json_response(body, status=status, headers=headers)


def _read_token(request: web.BaseRequest) -> str:
    """Return the token from `Authorization`, else from the subprotocols: the two places that no access log shows."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    for value in _subprotocols(request):
        if value.startswith(_BEARER_SUBPROTOCOL):
            return value.removeprefix(_BEARER_SUBPROTOCOL)
    where = f"send Authorization: Bearer <token>, or the subprotocols {SUBPROTOCOL}, bearer.<token>"
    raise RequestError(ErrorCode.NO_TOKEN, f"no token: {where}")


def _subprotocols(request: web.BaseRequest) -> list[str]:
    lines = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    return [value.strip() for line in lines for value in line.split(",")]
