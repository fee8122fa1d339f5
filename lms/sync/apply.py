"""Applies one operation of a queue: once, whole, and with a result whatever happens."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lms.api.caller import Caller
from lms.api.envelope import refused
from lms.api.languages import Language
from lms.api.phrases import expectation
from lms.api.problems import CONFLICT, INTERNAL, KEY_REUSED, UNAVAILABLE, ProblemError, bad_field
from lms.api.rate_limits import Limit
from lms.api.serve import Server, explain
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.sync.messages import OperationResult, Outcome, QueuedOperation
from lms.sync.registry import Operation, Operations
from lms.sync.tables import sync_operation
from webapi.read import UnreadableError, convert

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(days=90)
"""For so long an operation is known again: as long as a login lasts that is used."""


class Applier:
    """Applies operations of queues."""

    def __init__(self, database: Database, server: Server, operations: Operations) -> None:
        self._database = database
        self._server = server
        self._operations = operations

    async def apply(
        self, caller: Caller, device_id: str, queued: QueuedOperation, language: Language
    ) -> OperationResult:
        """Apply an operation, and say what became of it; it never raises."""
        try:
            outcome, result = await self._apply(caller, device_id, queued)
            return OperationResult(id=queued.id, outcome=outcome, result=result)
        except ProblemError as error:
            problem = error
        except (PoolTimeoutError, OperationalError):
            problem = ProblemError(UNAVAILABLE)
        except IntegrityError:
            problem = ProblemError(CONFLICT)
        except DBAPIError as error:
            problem = ProblemError(UNAVAILABLE if error.connection_invalidated else INTERNAL)
        except Exception:
            logger.exception("an operation failed", extra={"kind": queued.kind})
            problem = ProblemError(INTERNAL)
        told = refused(problem, language, "").error
        return OperationResult(id=queued.id, outcome=_outcome_of(problem), error=told)

    async def _apply(self, caller: Caller, device_id: str, queued: QueuedOperation) -> tuple[Outcome, Any]:
        operation, body = self._read(queued)
        caller.check(operation.access)
        content = msgspec.json.encode((queued.kind, queued.body), order="sorted")
        content_hash = hashlib.sha256(content).digest()
        async with self._database.read(caller.org_id) as transaction:
            earlier = await _find(transaction, caller.user_id, device_id, queued.id)
        if earlier is None:
            if operation.limit is not Limit.API:  # the request itself was counted
                await self._server.count((operation.limit.value, str(caller.user_id)))
            async with self._database.write(caller.org_id) as transaction:
                earlier = await _find(transaction, caller.user_id, device_id, queued.id)
                if earlier is None:
                    result = msgspec.to_builtins(await operation.run(transaction, caller, body))
                    await transaction.execute(
                        insert(sync_operation).values(
                            org_id=caller.org_id, user_id=caller.user_id, device_id=device_id,
                            operation_id=queued.id, kind=queued.kind, content_hash=content_hash, result=result,
                            applied_at=transaction.now,
                        )
                    )  # fmt: skip
                    return Outcome.APPLIED, result
        if earlier.content_hash != content_hash:
            raise ProblemError(KEY_REUSED, field="id", value=queued.id, rule="unique")
        return Outcome.DUPLICATE, earlier.result

    def _read(self, queued: QueuedOperation) -> tuple[Operation, Any]:
        known = self._operations.known
        operation = known.get(queued.kind)
        if operation is None:
            raise bad_field("kind", queued.kind, expectation(f"one of {', '.join(sorted(known))}"), "choice")
        try:
            return operation, convert(queued.body, operation.shape, strict=True)
        except UnreadableError as error:
            problem = explain(error)
            problem.field = f"body.{error.field}" if error.field else "body"
            raise problem from None


async def forget_old(transaction: Transaction) -> int:
    """Delete what was applied long ago and return how much; a job of the whole service."""
    done = await transaction.execute(delete(sync_operation).where(sync_operation.c.applied_at < transaction.now - KEPT))
    return done.rowcount


async def _find(transaction: Transaction, user_id: UUID, device_id: str, operation_id: str) -> Row[Any] | None:
    return await transaction.first(
        select(sync_operation.c.content_hash, sync_operation.c.result).where(
            sync_operation.c.org_id == transaction.org_id,
            sync_operation.c.user_id == user_id,
            sync_operation.c.device_id == device_id,
            sync_operation.c.operation_id == operation_id,
        )
    )


def _outcome_of(problem: ProblemError) -> Outcome:
    match problem.problem.status:
        case 409:
            return Outcome.CONFLICT
        case 429 | 500 | 503:
            return Outcome.RETRY
        case _:
            return Outcome.REJECTED
