"""The API of the running service, as somebody of the school: what is filled in goes the way of everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import aiohttp

from lms.access.access_tokens import Claims, sign
from lms.demo.errors import DemoError
from lms.parts import Parts

CSV: Final = "text/csv"
_TOKEN_S: Final = 60.0


class SchoolApi:
    """Asks as whoever is named; refusals are errors of ours."""

    def __init__(self, http: aiohttp.ClientSession, url: str, parts: Parts, org_id: UUID) -> None:
        self._http = http
        self._url = url
        self._parts = parts
        self._org_id = org_id
        self.requests = 0

    async def ask(
        self,
        as_: UUID,
        method: str,
        path: str,
        json: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        version: int | None = None,
        csv: bytes | None = None,
    ) -> Any:
        """Return `data` of the answer, None without one; raises DemoError for a refusal."""
        return (await self._ask(as_, method, path, json, query, version, csv)).get("data")

    async def pages(self, as_: UUID, path: str, query: Mapping[str, str]) -> list[Any]:
        """Return a whole list."""
        found: list[Any] = []
        following: str | None = None
        while True:
            more = {} if following is None else {"cursor": following}
            answer = await self._ask(as_, "GET", path, None, {**query, "limit": "100", **more}, None, None)
            found += answer["data"]
            following = answer["meta"].get("next")
            if following is None:
                return found

    async def _ask(
        self,
        as_: UUID,
        method: str,
        path: str,
        json: Any,
        query: Mapping[str, str] | None,
        version: int | None,
        csv: bytes | None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._token(as_)}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if csv is not None:
            headers["Content-Type"] = CSV
        self.requests += 1
        address = f"{self._url}/api/v1{path}"
        async with self._http.request(method, address, json=json, data=csv, params=query, headers=headers) as response:
            if response.status == 204:
                return {}
            answer: dict[str, Any] = await response.json()
        if not answer["success"]:
            raise DemoError(f"{method} {path} was refused: {answer['error']}")
        return answer

    async def _token(self, user_id: UUID) -> str:
        """Return a token for a moment: the clock of a school that is filled runs through a month in seconds."""
        standing = await self._parts.standings.get(self._org_id, user_id)
        if standing is None:
            raise DemoError(f"nobody has the id {user_id}")
        claims = Claims(self._org_id, user_id, standing.token_version)
        return sign(claims, self._parts.secrets[0], now=self._parts.clock.now(), lifetime_s=_TOKEN_S)
