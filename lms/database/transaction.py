"""One transaction: statements, the tenant that it is for, and what is to happen before and after its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from lms.database.prepared import Prepared
from lms.database.ways import WayOfTransaction


class Transaction:
    """Handed to whoever reads or writes; commits when the block that it came from ends well, else nothing happened."""

    def __init__(self, way: WayOfTransaction, org_id: UUID | None, now: datetime, *, writes: bool) -> None:
        self._way = way
        self.writes = writes
        self.now = now
        """When it began, by the service's clock: the one time of everything that it writes."""
        self._org_id = org_id
        self.before_commit: list[Callable[[Transaction], Awaitable[None]]] = []
        """Run in order within it; what they raise undoes it."""
        self.gathered: dict[str, list[Any]] = {}
        """What is written together at the end, by whom."""
        self.after_commit: list[Callable[[], None]] = []
        """Run once it is durable: wake others, tell listeners. They must not raise, and do not wait."""

    @property
    def org_id(self) -> UUID:
        """The organization that it is for."""
        assert self._org_id is not None, "a transaction of the whole service has no organization"
        return self._org_id

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's connection."""
        return self._way.connection

    @property
    def is_postgresql(self) -> bool:
        return self._way.is_postgresql

    async def execute(
        self,
        statement: Executable | Prepared,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run a statement; several parameter sets run it for each."""
        if isinstance(statement, Prepared):
            statement, parameters = statement
        return await self._way.execute(statement, parameters)

    async def rows(self, statement: Executable | Prepared) -> Sequence[Row[Any]]:
        """Return all rows."""
        if isinstance(statement, Prepared):
            return (await self._way.rows((statement,)))[0]
        return (await self.execute(statement)).all()

    def ahead(self, *statements: Prepared) -> None:
        """Say what will be asked before anything is written: it is asked along with whatever comes next."""
        self._way.ahead(statements)

    async def later(self, statement: Prepared) -> None:
        """Run a statement with those that come next, or with the commit: there it fails, if it does."""
        await self._way.later(statement)

    async def run(self, statement: Prepared) -> None:
        """Run a statement of which nothing is to be known but that it was run."""
        await self.rows(statement)

    async def first(self, statement: Executable | Prepared) -> Row[Any] | None:
        """Return the first row, None without one."""
        if isinstance(statement, Prepared):
            rows = await self.rows(statement)
            return rows[0] if rows else None
        return (await self.execute(statement)).first()

    async def one(self, statement: Executable | Prepared) -> Row[Any]:
        """Return the one row that there is."""
        if isinstance(statement, Prepared):
            [row] = await self.rows(statement)
            return row
        return (await self.execute(statement)).one()

    async def value(self, statement: Executable | Prepared) -> Any:
        """Return the first column of the first row, None without one."""
        if isinstance(statement, Prepared):
            row = await self.first(statement)
            return None if row is None else row[0]
        return (await self.execute(statement)).scalar()
