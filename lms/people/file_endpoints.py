"""/api/v1/users/import and /export: people as CSV files."""

from __future__ import annotations

from typing import Final

from lms.access.links import send_link
from lms.access.roles import Permission
from lms.access.tables import LinkKind
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Reply, Result, Use
from lms.api.problems import QUOTA_EXCEEDED, bad_field
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.csv_file import FILE_BYTES_MAX, FileFault, read_lines, write_lines
from lms.people.endpoints import TAG, USERS
from lms.people.importing import Importer
from lms.people.messages import ImportQuery, ImportReport
from lms.people.store import read_all_users

CSV: Final = "text/csv"


class _UndoError(Exception):
    """Undoes a transaction of which only the report is wanted."""


class PeopleFileEndpoints:
    """Import and export."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="import_users",
                method="POST",
                path=f"{USERS}/import",
                summary="Take people from a CSV file",
                description="Columns: `name`, and any of `code`, `email`, `external_id`, `phone`, `given_name`, "
                "`family_name`, `language`, `time_zone`, `roles` (with spaces between). A line is about who has its "
                "code, else its external id, else its address; with none of them it is somebody new. If one line is "
                "refused, nothing is written: the report says what is wrong with which line.",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                query=ImportQuery,
                body_media_type=CSV,
                body_bytes_max=FILE_BYTES_MAX,
                answers={200: Reply("What became of each line.", ImportReport)},
                problems=(QUOTA_EXCEEDED,),
                limit=Limit.UPLOAD,
                use=Use.OWN,
                run=self._import,
            ),
            Endpoint(
                operation="export_users",
                method="GET",
                path=f"{USERS}/export",
                summary="Get all people as a CSV file",
                description="What begins like a formula has an apostrophe before it; an import takes it off again.",
                tag=TAG,
                access=Permission.PEOPLE_READ,
                answers={200: Reply("The file, with a line for each person.", media_type=CSV)},
                use=Use.WRITE,
                run=self._export,
            ),
        )

    async def _import(self, call: Call[Nothing, ImportQuery, Nothing]) -> Result:
        try:
            lines = read_lines(call.content)
        except FileFault as fault:
            raise bad_field("body", "the file", fault.phrase, "form") from None
        report = None
        try:
            async with self._parts.database.write(call.caller.org_id) as transaction:
                importer = Importer(transaction, self._parts.ids, call.caller.roles, call.language)
                report = await importer.take(lines, dry_run=call.query.dry_run)
                if not report.written:
                    raise _UndoError
                await self._finish(call, transaction, importer, report)
        except _UndoError:
            pass
        return Result(report)

    async def _finish(
        self,
        call: Call[Nothing, ImportQuery, Nothing],
        transaction: Transaction,
        importer: Importer,
        report: ImportReport,
    ) -> None:
        parts = self._parts
        for user_id in importer.changed:
            parts.forget_standing(transaction, user_id)
        if call.query.invite:
            for user_id, email in importer.invited:
                await send_link(
                    transaction,
                    parts.outbox,
                    parts.ids.new(),
                    user_id,
                    LinkKind.INVITATION,
                    email,
                    parts.settings.passwords,
                    by=call.caller.user_id,
                )
        counts = {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
        users = [str(line.user_id) for line in report.lines if line.action != "unchanged"]
        await record(call, "user.import", "app_user", None, new={**counts, "users": users}, transaction=transaction)

    async def _export(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        users = await read_all_users(call.transaction)
        await record(call, "user.export", "app_user", None, new={"count": len(users)})
        return Result(file=File(write_lines(users), f"{CSV}; charset=utf-8", "people.csv"))
