"""/api/v1/auth: change, forget and set passwords, confirm an address, and what everybody may change of themselves."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import Row, update

from lms.access.accounts import (
    check_history,
    find_account,
    find_organization,
    normal_email,
    read_account,
    read_history,
    read_myself,
    set_password,
)
from lms.access.endpoints import AUTH_PATH, TAG
from lms.access.links import look_at_link, read_link_token, send_link, use_link
from lms.access.logins import end_logins
from lms.access.messages import ChangeMyself, ChangePassword, ForgotPassword, Myself, SetPassword, VerifyEmail
from lms.access.password_rules import PASSWORD_PROBLEMS, check_password
from lms.access.problems import BAD_LINK, ORGANIZATION_NEEDED, WRONG_PASSWORD
from lms.access.tables import LinkKind
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.problems import ProblemError, bad_field, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.parts import Parts
from lms.people.problems import IANA_NAME, THE_ACCOUNT
from lms.people.tables import UserStatus, app_user

_SETS_PASSWORDS: Final = (LinkKind.INVITATION, LinkKind.RESET)


class PasswordEndpoints:
    """Passwords and addresses of one's own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="change_me",
                method="PATCH",
                path=f"{AUTH_PATH}/me",
                summary="Change language or time zone of your account",
                tag=TAG,
                access=Open.SIGNED_IN,
                body=ChangeMyself,
                answers={200: Reply("You.", Myself)},
                run=self._change_me,
            ),
            Endpoint(
                operation="change_password",
                method="POST",
                path=f"{AUTH_PATH}/password",
                summary="Change your password",
                description="All logins end; log in again.",
                tag=TAG,
                access=Open.SIGNED_IN,
                body=ChangePassword,
                answers={204: Reply("Changed.")},
                problems=(WRONG_PASSWORD, *PASSWORD_PROBLEMS),
                limit=Limit.LOGIN,
                use=Use.OWN,
                run=self._change,
            ),
            Endpoint(
                operation="forgot_password",
                method="POST",
                path=f"{AUTH_PATH}/forgot-password",
                summary="Have a link mailed with which a new password can be set",
                description="The answer is the same whether there is such an account or not.",
                tag=TAG,
                access=Open.ANYBODY,
                body=ForgotPassword,
                answers={202: Reply("If there is such an account with an address, a mail is on its way.")},
                problems=(ORGANIZATION_NEEDED,),
                limit=Limit.LOGIN,
                use=Use.OWN,
                run=self._forgot,
            ),
            Endpoint(
                operation="set_password",
                method="POST",
                path=f"{AUTH_PATH}/reset-password",
                summary="Set a password with the token of a link",
                description="Of an invitation, or of a forgotten password. All logins end.",
                tag=TAG,
                access=Open.ANYBODY,
                body=SetPassword,
                answers={204: Reply("Set.")},
                problems=(BAD_LINK, *PASSWORD_PROBLEMS),
                limit=Limit.LOGIN,
                use=Use.OWN,
                run=self._set,
            ),
            Endpoint(
                operation="verify_email",
                method="POST",
                path=f"{AUTH_PATH}/verify-email",
                summary="Confirm an address with the token of a link",
                tag=TAG,
                access=Open.ANYBODY,
                body=VerifyEmail,
                answers={204: Reply("Confirmed.")},
                problems=(BAD_LINK,),
                limit=Limit.LOGIN,
                use=Use.OWN,
                run=self._verify,
            ),
            Endpoint(
                operation="send_verification",
                method="POST",
                path=f"{AUTH_PATH}/verify-email/send",
                summary="Have a link mailed with which your address is confirmed",
                tag=TAG,
                access=Open.SIGNED_IN,
                answers={202: Reply("A mail is on its way, if your account has an address.")},
                limit=Limit.REDEEM,
                run=self._send_verification,
            ),
        )

    async def _change_me(self, call: Call[Nothing, Nothing, ChangeMyself]) -> Result:
        body, caller = call.body, call.caller
        values: dict[str, Any] = {}
        if body.language is not None:
            values["language"] = body.language.value
        if body.time_zone is not None:
            if body.time_zone not in available_timezones():
                raise bad_field("time_zone", body.time_zone, IANA_NAME, "choice")
            values["time_zone"] = body.time_zone
        if values:
            await call.transaction.execute(
                update(app_user)
                .where(app_user.c.org_id == caller.org_id, app_user.c.id == caller.user_id)
                .values(**values, version=app_user.c.version + 1)
            )
            await record(call, "user.update", "app_user", caller.user_id, new=values)
            self._parts.forget_standing(call.transaction, caller.user_id)
        account = await read_account(call.transaction, caller.user_id)
        if account is None:
            raise not_found(THE_ACCOUNT)
        return Result(await read_myself(call.transaction, account), version=account.version)

    async def _change(self, call: Call[Nothing, Nothing, ChangePassword]) -> Result:
        caller, parts = call.caller, self._parts
        await parts.server.count(("login", f"{caller.user_id} change"))
        async with parts.database.read(caller.org_id) as transaction:
            account = await read_account(transaction, caller.user_id)
        kept = None if account is None else account.password_hash
        if not await parts.passwords.check(kept, call.body.present):
            raise ProblemError(WRONG_PASSWORD, field="present", rule="match")
        assert account is not None
        await self._take(call, caller.org_id, account, call.body.password, None)
        return Result(status=204)

    async def _forgot(self, call: Call[Nothing, Nothing, ForgotPassword]) -> Result:
        body, parts = call.body, self._parts
        place = call.address or "here"
        forgot = f"forgot {place} {body.login.strip().casefold()}"
        await parts.server.count(("address_login", place), ("login", forgot))
        async with parts.database.read_all() as transaction:
            org_id = await find_organization(transaction, body.organization, call.http.host.partition(":")[0])
        if org_id is not None:
            async with parts.database.write(org_id) as transaction:
                account = await find_account(transaction, body.login)
                usable = account is not None and account.status in {UserStatus.ACTIVE, UserStatus.INACTIVE}
                if account is not None and usable and account.email is not None:
                    kind = LinkKind.RESET if account.password_hash else LinkKind.INVITATION
                    await send_link(
                        transaction,
                        parts.outbox,
                        parts.ids.new(),
                        account.id,
                        kind,
                        account.email,
                        parts.settings.passwords,
                    )
                    await record(call, "password.forgot", "app_user", account.id, transaction=transaction)
        return Result(status=202)

    async def _set(self, call: Call[Nothing, Nothing, SetPassword]) -> Result:
        parts = self._parts
        await parts.server.count(("address_login", call.address or "here"))
        org_id, link_id = read_link_token(call.body.token, parts.secrets)
        async with parts.database.write(org_id) as transaction:  # looked at first: a bad password costs no link
            link = await look_at_link(transaction, link_id, _SETS_PASSWORDS)
            account = await read_account(transaction, link.user_id)
            if account is None or account.status not in {UserStatus.ACTIVE, UserStatus.INACTIVE}:
                raise ProblemError(BAD_LINK, field="token", rule="account")
        await self._take(call, org_id, account, call.body.password, link_id)
        return Result(status=204)

    async def _take(
        self, call: Call[Any, Any, Any], org_id: UUID, account: Row[Any], password: str, link_id: UUID | None
    ) -> None:
        """Check and set a password; the slow part is done outside the transaction that sets it."""
        parts = self._parts
        personal = (account.code, account.email, account.display_name, account.given_name, account.family_name)
        check_password(password, personal, parts.settings.passwords)
        async with parts.database.read(org_id) as transaction:
            earlier = await read_history(transaction, account.id, parts.settings.passwords.history)
        await check_history(earlier, password, parts.passwords)
        made = await parts.passwords.hash(password)
        async with parts.database.write(org_id) as transaction:
            email = None
            if link_id is not None:
                email = (await use_link(transaction, link_id, _SETS_PASSWORDS)).email
            await set_password(transaction, parts.ids.new(), account.id, made, email=email)
            await end_logins(transaction, account.id, "password")
            parts.forget_standing(transaction, account.id)
            await record(call, "password.set", "app_user", account.id, transaction=transaction, actor_id=account.id)

    async def _verify(self, call: Call[Nothing, Nothing, VerifyEmail]) -> Result:
        parts = self._parts
        await parts.server.count(("address_login", call.address or "here"))
        org_id, link_id = read_link_token(call.body.token, parts.secrets)
        async with parts.database.write(org_id) as transaction:
            link = await use_link(transaction, link_id, (LinkKind.VERIFICATION,))
            await transaction.execute(
                update(app_user)
                .where(
                    app_user.c.org_id == org_id,
                    app_user.c.id == link.user_id,
                    app_user.c.email_norm == normal_email(link.email),
                )
                .values(email_verified_at=transaction.now)
            )
            await record(
                call, "email.verified", "app_user", link.user_id, transaction=transaction, actor_id=link.user_id
            )
        return Result(status=204)

    async def _send_verification(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        parts = self._parts
        account = await read_account(call.transaction, call.caller.user_id)
        if account is not None and account.email is not None and account.email_verified_at is None:
            await send_link(
                call.transaction,
                parts.outbox,
                parts.ids.new(),
                account.id,
                LinkKind.VERIFICATION,
                account.email,
                parts.settings.passwords,
            )
        return Result(status=202)
