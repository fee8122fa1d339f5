"""/api/v1/auth: log in, renew, log out, and where one is logged in.

Attempts are counted by address and account together, so that pupils who guess at a teacher's account lock out
themselves; a browser that the teacher logged in with before holds a device cookie and is counted by that, so that even
guesses from the same classroom's address do not lock the teacher out.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.access.access_tokens import Claims, sign
from lms.access.accounts import ask_roles_ahead, find_account, find_organization, note_login, read_account, read_myself
from lms.access.authority import ACCESS_COOKIE, REFRESH_COOKIE
from lms.access.logins import Reuse, begin_login, end_logins, login_of, organization_of, renew, seal, unseal
from lms.access.messages import LogIn, Login, LoginPath, LogOut, Myself, RefreshTokens, Tokens
from lms.access.problems import BAD_LOGIN, BAD_REFRESH, ORGANIZATION_NEEDED, PASSWORD_EXPIRED, THE_LOGIN
from lms.access.tables import login
from lms.api.endpoint import AnyEndpoint, Call, Cookie, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.problems import NOT_FOUND, ProblemError, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.parts import Parts
from lms.people.problems import THE_ACCOUNT
from lms.people.tables import UserStatus

TAG: Final = "Login"
AUTH_PATH: Final = "/api/v1/auth"
DEVICE_COOKIE: Final = "halqa_device"
DEVICE_S: Final = 31_536_000
_DEVICE: Final = "device"


class LoginEndpoints:
    """Logins and their tokens."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="log_in",
                method="POST",
                path=f"{AUTH_PATH}/login",
                summary="Log in",
                description="By code or e-mail address. All that can be wrong looks alike.",
                tag=TAG,
                access=Open.ANYBODY,
                body=LogIn,
                answers={200: Reply("The tokens.", Tokens)},
                problems=(BAD_LOGIN, ORGANIZATION_NEEDED, PASSWORD_EXPIRED),
                limit=Limit.LOGIN,
                use=Use.OWN,
                run=self._log_in,
            ),
            Endpoint(
                operation="refresh",
                method="POST",
                path=f"{AUTH_PATH}/refresh",
                summary="Renew the access token",
                description="Each refresh token is good for one renewal, and for a moment after it for those that "
                "come at the same time. Used again later it was copied: the login ends everywhere.",
                tag=TAG,
                access=Open.ANYBODY,
                body=RefreshTokens,
                answers={200: Reply("New tokens.", Tokens)},
                problems=(BAD_REFRESH,),
                use=Use.OWN,
                run=self._refresh,
            ),
            Endpoint(
                operation="log_out",
                method="POST",
                path=f"{AUTH_PATH}/logout",
                summary="Log out",
                tag=TAG,
                access=Open.ANYBODY,
                body=LogOut,
                answers={204: Reply("Logged out; also where nobody was logged in.")},
                use=Use.OWN,
                run=self._log_out,
            ),
            Endpoint(
                operation="get_me",
                method="GET",
                path=f"{AUTH_PATH}/me",
                summary="See who is logged in",
                tag=TAG,
                access=Open.SIGNED_IN,
                answers={200: Reply("You.", Myself)},
                run=self._me,
            ),
            Endpoint(
                operation="list_logins",
                method="GET",
                path=f"{AUTH_PATH}/logins",
                summary="See where you are logged in",
                tag=TAG,
                access=Open.SIGNED_IN,
                answers={200: Reply("Your logins, the latest first; at most 100.", list[Login])},
                run=self._logins,
            ),
            Endpoint(
                operation="end_login",
                method="DELETE",
                path=f"{AUTH_PATH}/logins/{{login_id}}",
                summary="Log out somewhere else",
                description="It can no longer be renewed; its access token ends within 15 minutes.",
                tag=TAG,
                access=Open.SIGNED_IN,
                parameters=LoginPath,
                answers={204: Reply("Ended.")},
                problems=(NOT_FOUND,),
                run=self._end_login,
            ),
        )

    async def _log_in(self, call: Call[Nothing, Nothing, LogIn]) -> Result:
        body, parts = call.body, self._parts
        async with parts.database.read_all() as transaction:
            org_id = await find_organization(transaction, body.organization, call.http.host.partition(":")[0])
        account = None
        if org_id is not None:
            async with parts.database.read(org_id) as transaction:
                account = await find_account(transaction, body.login)
        await self._count_attempt(call, org_id, None if account is None else account.id)
        matches = await parts.passwords.check(None if account is None else account.password_hash, body.password)
        if org_id is None or account is None or not matches or account.status is not UserStatus.ACTIVE:
            if org_id is not None:
                async with parts.database.write(org_id) as transaction:
                    found = None if account is None else account.id
                    await record(call, "login.refused", "app_user", found, transaction=transaction)
            raise ProblemError(BAD_LOGIN, headers={"WWW-Authenticate": "Bearer"})
        self._check_age(account)
        login_id = parts.ids.new()
        async with parts.database.write(org_id) as transaction:
            refresh = await begin_login(
                transaction,
                login_id,
                account.id,
                parts.settings.tokens,
                by_cookie=body.cookies,
                address=call.address or call.http.remote,
                user_agent=call.http.headers.get("User-Agent"),
            )
            await note_login(transaction, account.id)
            me = await read_myself(transaction, account)
            await record(call, "login", "app_user", account.id, transaction=transaction, actor_id=account.id)
        device = (self._device_cookie(org_id, account.id),)
        return self._tokens(me, account.token_version, login_id, refresh, by_cookie=body.cookies, more=device)

    async def _refresh(self, call: Call[Nothing, Nothing, RefreshTokens]) -> Result:
        parts = self._parts
        refresh, org_id = self._refresh_token(call, call.body.refresh_token)
        if org_id is None:
            raise ProblemError(BAD_REFRESH)
        refused = None
        async with parts.database.write(org_id) as transaction:
            renewal = await renew(transaction, refresh, parts.settings.tokens)
            if isinstance(renewal, Reuse):  # and it is ended: committed below
                reused = {"login": str(renewal.login_id)}
                await record(call, "login.reuse", "app_user", renewal.user_id, new=reused, transaction=transaction)
                refused = ProblemError(BAD_REFRESH, rule="once")
            elif renewal is None:
                refused = ProblemError(BAD_REFRESH)
            else:
                account = await read_account(transaction, renewal.user_id)
                if account is None or account.status is not UserStatus.ACTIVE:
                    refused = ProblemError(BAD_REFRESH)
                else:
                    me = await read_myself(transaction, account)
        if refused is not None:
            raise refused
        assert renewal is not None
        assert not isinstance(renewal, Reuse)
        assert account is not None
        return self._tokens(me, account.token_version, renewal.login_id, renewal.refresh, by_cookie=renewal.by_cookie)

    async def _log_out(self, call: Call[Nothing, Nothing, LogOut]) -> Result:
        parts = self._parts
        refresh, org_id = self._refresh_token(call, call.body.refresh_token)
        if org_id is not None:
            async with parts.database.write(org_id) as transaction:
                found = await login_of(transaction, refresh)
                if found is not None:
                    only = None if call.body.everywhere else found.id
                    await end_logins(transaction, found.user_id, "logout", only=only)
                    if call.body.everywhere:
                        await parts.end_access(transaction, found.user_id)
                    await record(
                        call, "logout", "app_user", found.user_id, transaction=transaction, actor_id=found.user_id
                    )
        return Result(status=204, cookies=(_gone(ACCESS_COOKIE, "/"), _gone(REFRESH_COOKIE, AUTH_PATH)))

    async def _me(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        ask_roles_ahead(call.transaction, call.caller.user_id)
        account = await read_account(call.transaction, call.caller.user_id)
        if account is None:
            raise not_found(THE_ACCOUNT)
        return Result(await read_myself(call.transaction, account), version=account.version)

    async def _logins(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        now = call.transaction.now
        rows = await call.transaction.rows(
            select(login)
            .where(
                login.c.org_id == call.caller.org_id,
                login.c.user_id == call.caller.user_id,
                login.c.ended_at.is_(None),
                login.c.expires_at > now,
            )
            .order_by(login.c.used_at.desc(), login.c.id)
            .limit(100)
        )
        return Result([_login_view(row) for row in rows])

    async def _end_login(self, call: Call[LoginPath, Nothing, Nothing]) -> Result:
        ended = await end_logins(call.transaction, call.caller.user_id, "logout", only=call.path.login_id)
        if not ended:
            raise not_found(THE_LOGIN)
        await record(call, "logout", "app_user", call.caller.user_id, new={"login": str(call.path.login_id)})
        return Result(status=204)

    async def _count_attempt(self, call: Call[Any, Any, LogIn], org_id: UUID | None, account_id: UUID | None) -> None:
        """Count an attempt, by whatever name the account was called; raises ProblemError (`rate_limited`)."""
        account = f"{org_id}/{account_id or call.body.login.strip().casefold()}"
        place = call.address or "here"
        await self._parts.server.count(("address_login", place))
        device = self._device_of(call, account_id)
        if device is not None:
            await self._parts.server.count(("login", f"{account} device {device}"))
            return
        await self._parts.server.count(("login", f"{account} {place}"), ("account_login", account))

    def _device_of(self, call: Call[Any, Any, LogIn], account_id: UUID | None) -> str | None:
        """Return the device that shows our cookie, if the account was logged in with it before."""
        shown = unseal(_DEVICE, call.http.cookies.get(DEVICE_COOKIE, ""), self._parts.secrets)
        is_its_own = shown is not None and account_id is not None and shown.split(".")[1] == account_id.hex
        return shown if is_its_own else None

    def _device_cookie(self, org_id: UUID, user_id: UUID) -> Cookie:
        text = f"{org_id.hex}.{user_id.hex}.{secrets.token_hex(8)}"
        return Cookie(DEVICE_COOKIE, seal(_DEVICE, text, self._parts.secrets[0]), AUTH_PATH, DEVICE_S)

    def _check_age(self, account: Row[Any]) -> None:
        days = self._parts.settings.passwords.max_age_days
        if days and account.password_changed_at is not None:
            age = self._parts.clock.now() - account.password_changed_at
            if age > timedelta(days=days):
                raise ProblemError(PASSWORD_EXPIRED)

    def _refresh_token(self, call: Call[Any, Any, Any], given: str | None) -> tuple[str, UUID | None]:
        """Return the refresh token of the body or the cookie, and the organization that it says."""
        if given is not None:
            return given, organization_of(given)
        kept = call.http.cookies.get(REFRESH_COOKIE, "")
        if kept:
            self._parts.authority.check_origin(call.http)
        return kept, organization_of(kept)

    def _tokens(
        self, me: Myself, version: int, login_id: UUID, refresh: str, *, by_cookie: bool, more: tuple[Cookie, ...] = ()
    ) -> Result:
        settings, now = self._parts.settings.tokens, self._parts.clock.now()
        claims = Claims(me.organization_id, me.id, version, login_id)
        access = sign(claims, self._parts.secrets[0], now=now, lifetime_s=settings.access_s)
        answer = Tokens(
            access_token=None if by_cookie else access,
            expires_at=now.replace(microsecond=0) + timedelta(seconds=int(settings.access_s)),
            refresh_token=None if by_cookie else refresh,
            me=me,
        )
        if not by_cookie:
            return Result(answer)
        cookies = (
            Cookie(ACCESS_COOKIE, access, "/", int(settings.access_s)),
            Cookie(REFRESH_COOKIE, refresh, AUTH_PATH, int(settings.refresh_s)),
        )
        return Result(answer, cookies=(*cookies, *more))


def _gone(name: str, path: str) -> Cookie:
    return Cookie(name, "", path, 0)


def _login_view(row: Row[Any]) -> Login:
    return Login(
        id=row.id,
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
        address=row.address,
        user_agent=row.user_agent,
    )
