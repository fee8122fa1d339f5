"""One request and its answer over HTTP: struct to struct, tried again where that is safe, errors as exceptions."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from control_api.client.errors import RefusedError, UnreachableError, refused
from control_api.client.patience import RETRIED_STATUS, Patience
from control_api.contract.errors import Error, ErrorAnswer

AnswerT = TypeVar("AnswerT")

ANSWER_BYTES_MAX: Final = 16 << 20
"""The largest answers are pages of 1000 participants with tracks, about 1 MB."""

_SAFE: Final = frozenset({"GET", "PUT", "PATCH", "DELETE"})
"""Methods that do nothing twice (RFC 9110 section 9.2.2); PATCH neither, as ours name the values that are to be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status below 400."""

    status: int
    content: bytes
    headers: Mapping[str, str]


class Exchange:
    """Speaks to one server with one API key."""

    def __init__(self, url: str, authorization: str, patience: Patience, http: aiohttp.ClientSession) -> None:
        self._base = str(URL(url)).rstrip("/")
        self._authorization = authorization
        self._patience = patience
        self._http = http

    async def ask(
        self,
        answer: type[AnswerT],
        method: str,
        *path: str,
        query: msgspec.Struct | None = None,
        body: msgspec.Struct | None = None,
        idempotency_key: str | None = None,
    ) -> AnswerT:
        """Return the answer as a struct; raises ControlError."""
        reply = await self.send(method, *path, query=query, body=body, idempotency_key=idempotency_key)
        try:
            return msgspec.json.decode(reply.content, type=answer)
        except msgspec.MsgspecError as error:
            raise UnreachableError(f"what answers at {self._base} is no media server of ours: {error}") from error

    async def send(
        self,
        method: str,
        *path: str,
        query: msgspec.Struct | None = None,
        body: msgspec.Struct | None = None,
        idempotency_key: str | None = None,
        waits_s: float = 0.0,
    ) -> Reply:
        """Return the answer; raises ControlError. `waits_s`: for how long the server was asked to wait."""
        attempts = self._patience.attempts if method in _SAFE or idempotency_key is not None else 1
        for attempt in range(1, attempts + 1):
            retry_after_s = None
            try:
                return await self._try(method, path, query, body, idempotency_key, self._patience.timeout_s + waits_s)
            except RefusedError as error:
                if error.status == 404 and method == "DELETE" and attempt > 1:
                    return Reply(204, b"", {})  # the answer to an earlier try was lost
                if error.status not in RETRIED_STATUS or attempt == attempts:
                    raise
                retry_after_s = error.retry_after_s
            except UnreachableError:
                if attempt == attempts:
                    raise
            wait_s = self._patience.wait_s(attempt, retry_after_s=retry_after_s, chance=random.random())
            await asyncio.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    async def _try(
        self,
        method: str,
        path: tuple[str, ...],
        query: msgspec.Struct | None,
        body: msgspec.Struct | None,
        idempotency_key: str | None,
        timeout_s: float,
    ) -> Reply:
        headers: dict[str, str] = {hdrs.AUTHORIZATION: self._authorization}
        if body is not None:
            headers[hdrs.CONTENT_TYPE] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        url = URL(f"{self._base}/{'/'.join(map(_segment, path))}", encoded=True)
        try:
            async with self._http.request(
                method,
                url.update_query(_texts(query)),
                data=None if body is None else msgspec.json.encode(body),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,  # they would take the API key somewhere else
            ) as response:
                content = await _read(response)
                if response.status < 300:
                    return Reply(response.status, content, response.headers)
                raise refused(response.status, _error(content, response.status), retry_after_s=_retry_after(response))
        except TimeoutError:
            raise UnreachableError(f"{self._base} did not answer within {timeout_s:g} s") from None
        except aiohttp.ClientError as error:
            raise UnreachableError(f"{self._base} cannot be reached: {error}") from error


def _segment(text: str) -> str:
    """Return one segment of a path; raises ValueError for what would be another path."""
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} is no name or id")
    return quote(text, safe="")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = await response.content.read(ANSWER_BYTES_MAX + 1)
    while len(content) <= ANSWER_BYTES_MAX and (more := await response.content.read(ANSWER_BYTES_MAX)):
        content += more
    if len(content) > ANSWER_BYTES_MAX:
        raise UnreachableError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
    return content


def _texts(query: msgspec.Struct | None) -> dict[str, str]:
    """Return a query as texts; what is as it is by default is left out."""
    if query is None:
        return {}
    values: dict[str, Any] = msgspec.to_builtins(query)
    given = {name: value for name, value in values.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _error(content: bytes, status: int) -> Error:
    """Return what a server of ours says, or words for what a proxy says."""
    try:
        return msgspec.json.decode(content, type=ErrorAnswer).error
    except msgspec.MsgspecError:
        return Error(code="unknown", message=f"status {status} without a reason that we understand")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    text = response.headers.get(hdrs.RETRY_AFTER, "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
