"""/v1/keys: API keys made, listed, rotated and revoked by a key that may. No key makes, sees or ends a stronger one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta

from control_api.contract.keys import CreateKey, Key, KeyList, KeyWithSecret, RotateKey
from control_api.contract.scopes import Scope
from control_api.contract.shapes import Request
from control_api.keys import ApiKey, KeyFile, KeyFileError, make_api_key
from control_api.rest.authority import Caller
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.problems import Problem, ProblemError
from signaling.room_pattern import RoomPattern

TAG: Final = "Keys"

T = TypeVar("T")


class KeyPath(Request, frozen=True, kw_only=True):
    key: Annotated[str, Meta(min_length=1, max_length=64, examples=["key-5f3a9c1e"])]


class KeyEndpoints:
    """The endpoints over the API keys of one server."""

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="create_key",
                method="POST",
                path="/v1/keys",
                summary="Make an API key",
                description="It may do no more than the key that asks. The secret is in this answer and nowhere else.",
                tag=TAG,
                scope=Scope.KEYS_WRITE,
                body=CreateKey,
                answers={201: Reply("It may be used from now on.", KeyWithSecret)},
                problems=(Problem.MISSING_SCOPE, Problem.ROOM_NOT_ALLOWED, Problem.CONFLICT),
                run=self._create,
            ),
            Endpoint(
                operation="list_keys",
                method="GET",
                path="/v1/keys",
                summary="List API keys",
                description="Those that may do no more than the key that asks, without secrets.",
                tag=TAG,
                scope=Scope.KEYS_WRITE,
                answers={200: Reply("The keys.", KeyList)},
                run=self._list,
            ),
            Endpoint(
                operation="rotate_key",
                method="POST",
                path="/v1/keys/{key}/rotate",
                summary="Give an API key another secret",
                description="The present secret goes on to count for `overlap_s`.",
                tag=TAG,
                scope=Scope.KEYS_WRITE,
                parameters=KeyPath,
                body=RotateKey,
                answers={200: Reply("The new secret.", KeyWithSecret)},
                problems=(Problem.NO_SUCH_KEY, Problem.CONFLICT),
                run=self._rotate,
            ),
            Endpoint(
                operation="revoke_key",
                method="POST",
                path="/v1/keys/{key}/revoke",
                summary="End an API key now",
                description="Tokens that it signed open nothing any more; who is in a room already stays there.",
                tag=TAG,
                scope=Scope.KEYS_WRITE,
                parameters=KeyPath,
                answers={200: Reply("It has ended, now or before.", Key)},
                problems=(Problem.NO_SUCH_KEY,),
                run=self._revoke,
            ),
        )

    async def _create(self, call: Call[Nothing, Nothing, CreateKey]) -> Result:
        wanted = call.body
        for scope in wanted.scopes:
            call.caller.check(scope)
        try:
            rooms = call.caller.rooms if wanted.rooms is None else RoomPattern(wanted.rooms)
            key = make_api_key(
                at=_now(), name=wanted.name, scopes=wanted.scopes, rooms=rooms, lifetime_s=wanted.lifetime_s
            )
        except ValueError as error:
            raise ProblemError(Problem.BAD_FIELD, str(error)) from None
        if not call.caller.rooms.covers(rooms):
            raise ProblemError(Problem.ROOM_NOT_ALLOWED, f"The key that asks opens {call.caller.rooms.text} alone.")
        try:
            await _on_disk(lambda: self._keys.add(key))
        except KeyFileError as error:
            raise ProblemError(Problem.CONFLICT, str(error)) from None
        return Result(_with_secret(key), status=201)

    async def _list(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        keys = [key for key in self._keys.listed() if _may_touch(call.caller, key)]
        return Result(KeyList(keys=tuple(map(_describe, keys))))

    async def _rotate(self, call: Call[KeyPath, Nothing, RotateKey]) -> Result:
        key = self._find(call.caller, call.path.key)
        try:
            rotated = await _on_disk(lambda: self._keys.rotate(key.key_id, overlap_s=call.body.overlap_s))
        except ValueError as error:
            raise ProblemError(Problem.CONFLICT, str(error)) from None
        return Result(_with_secret(rotated))

    async def _revoke(self, call: Call[KeyPath, Nothing, Nothing]) -> Result:
        key = self._find(call.caller, call.path.key)
        return Result(_describe(await _on_disk(lambda: self._keys.revoke(key.key_id))))

    def _find(self, caller: Caller, key_id: str) -> ApiKey:
        key = self._keys.find(key_id)
        if key is None or not _may_touch(caller, key):
            raise ProblemError(Problem.NO_SUCH_KEY)
        return key


def _may_touch(caller: Caller, key: ApiKey) -> bool:
    return key.scopes <= caller.scopes and caller.rooms.covers(key.rooms)


def _describe(key: ApiKey) -> Key:
    return Key(
        id=key.key_id,
        name=key.name,
        scopes=tuple(sorted(key.scopes, key=lambda scope: scope.value)),
        rooms=key.rooms.text,
        state=_state(key),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        earlier_secret_until=max((each.until for each in key.earlier if each.until > _now()), default=None),
    )


def _state(key: ApiKey) -> Literal["usable", "expired", "revoked"]:
    if key.revoked_at is not None:
        return "revoked"
    return "usable" if key.is_usable(_now()) else "expired"


def _with_secret(key: ApiKey) -> KeyWithSecret:
    return KeyWithSecret(key=_describe(key), secret=key.secret.decode())


def _now() -> datetime:
    return datetime.now(UTC)


async def _on_disk(change: Callable[[], T]) -> T:
    """Wait for the disk without stopping the event loop; keys change so seldom that a thread for each is cheap."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="keys") as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, change)
