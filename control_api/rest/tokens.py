"""POST /v1/tokens: sign a token with which somebody joins a room, never wider than the API key behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from control_api.contract.scopes import Scope
from control_api.contract.tokens import Audience, CreateToken, Token
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.hall import Hall
from control_api.rest.problems import Problem, ProblemError
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Role, RoomName, Source
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, IDENTITY_CHARACTERS_MAX, check_text
from signaling.tokens import make_token

TAG: Final = "Tokens"


class TokenEndpoints:
    """Tokens for people. `wallclock` is seconds since 1970, UTC."""

    def __init__(self, hall: Hall, wallclock: Callable[[], float] = time.time) -> None:
        self._hall = hall
        self._wallclock = wallclock

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="create_token",
                method="POST",
                path="/v1/tokens",
                summary="Sign a token to join a room",
                description="The room need not exist yet. A token cannot be called back: who has it can be put out of "
                "the room and banned. Tokens that moderate need the scope `rooms:moderate` too.",
                tag=TAG,
                scope=Scope.TOKENS_CREATE,
                body=CreateToken,
                answers={201: Reply("The token; it is kept nowhere.", Token)},
                problems=(Problem.ROOM_NOT_ALLOWED,),
                run=self._create,
            ),
        )

    async def _create(self, call: Call[Nothing, Nothing, CreateToken]) -> Result:
        body, caller = call.body, call.caller
        room = self._hall.parse_name(body.room, caller)
        _check(body.identity, "identity", IDENTITY_CHARACTERS_MAX)
        if body.name is not None:
            _check(body.name, "name", DISPLAY_NAME_CHARACTERS_MAX)
        grants = _grants(body, room, int(self._wallclock()) + body.ttl_s)
        if grants.moderate:
            caller.check(Scope.ROOMS_MODERATE)
        try:
            token = make_token(grants, key_id=caller.key_id, secret=caller.secret)
        except ValueError as error:  # too long for a header line: many characters of many bytes
            raise ProblemError(Problem.TOO_LARGE, f"{error}.") from None
        answer = Token(
            token=token,
            room=room,
            identity=body.identity,
            expires_at=datetime.fromtimestamp(grants.expires_at, UTC),
        )
        return Result(answer, status=201)


def _grants(body: CreateToken, room: RoomName, expires_at: float) -> Grants:
    leads = body.role in {Role.TEACHER, Role.ASSISTANT}
    default = ALL_SOURCES if leads else NO_SOURCES
    return Grants(
        room=room,
        identity=Identity(body.identity),
        expires_at=expires_at,
        name=body.name,
        publish=default if body.publish is None else frozenset(body.publish),
        subscribe=body.subscribe,
        hidden=body.hidden,
        role=body.role,
        sees=None if body.sees is None else frozenset(_sights(body.sees)),
        audience=_audience(body.audience),
        send=(body.role is not Role.OBSERVER) if body.send is None else body.send,
        moderate=leads if body.moderate is None else body.moderate,
        record=(body.role is Role.TEACHER) if body.record is None else body.record,
    )


def _audience(audience: Audience) -> dict[Source, frozenset[Role]]:
    said: dict[Source, tuple[Role, ...] | None] = {source: getattr(audience, source.value) for source in Source}
    return {source: frozenset(roles) for source, roles in said.items() if roles is not None}


def _sights(texts: tuple[str, ...]) -> Iterator[tuple[Role, Source]]:
    """Read `role` (all its tracks) and `role:source`."""
    for text in texts:
        role, _, source = text.partition(":")
        for each in [Source(source)] if source else Source:
            yield Role(role), each


def _check(text: str, field: str, characters_max: int) -> None:
    try:
        check_text(text, what=field, characters_max=characters_max)
    except ValueError as error:
        expected = "text without control characters, not blank"
        raise ProblemError(Problem.BAD_FIELD, f"{error}.", field=field, value=text, expected=expected) from None
