"""What is said when logging in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from lms.access.roles import Permission, Role
from lms.api.languages import Language
from webapi.shapes import Answer, Request

PasswordText = Annotated[str, Meta(min_length=1, max_length=1024)]
"""Longer than any that is taken: what is wrong with it, the rules say."""
TokenText = Annotated[str, Meta(min_length=1, max_length=2048)]


class LogIn(Request, frozen=True, kw_only=True):
    """Who somebody says to be."""

    login: Annotated[str, Meta(min_length=1, max_length=254, examples=["TCH1001", "muna@example.org"])]
    """Code or e-mail address; case does not matter."""
    password: PasswordText
    organization: Annotated[str, Meta(min_length=3, max_length=100, examples=["al-noor"])] | None = None
    """The slug; needed where the address serves several organizations and names none."""
    cookies: bool = False
    """For pages in a browser: tokens come as HttpOnly cookies, and not in the answer."""


class RefreshTokens(Request, frozen=True, kw_only=True):
    """Renew an access token."""

    refresh_token: TokenText | None = None
    """Left out by pages: the cookie has it."""


class LogOut(Request, frozen=True, kw_only=True):
    """End a login."""

    refresh_token: TokenText | None = None
    """Left out by pages: the cookie has it."""
    everywhere: bool = False
    """All logins of the person, and every access token at once."""


class Myself(Answer, frozen=True, kw_only=True):
    """Who is logged in."""

    id: UUID
    organization_id: UUID
    code: str
    name: str
    email: str | None
    email_verified: bool
    language: Language | None
    time_zone: str | None
    roles: tuple[Role, ...]
    permissions: tuple[Permission, ...]


class Tokens(Answer, frozen=True, kw_only=True):
    """A login, or its renewal."""

    access_token: str | None
    """Shown as `Authorization: Bearer ...`; null where it came as a cookie."""
    expires_at: datetime
    """When the access token ends; renew before."""
    refresh_token: str | None
    """Good for one renewal; null where it came as a cookie."""
    me: Myself


class Login(Answer, frozen=True, kw_only=True):
    """Where somebody is logged in."""

    id: UUID
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None


class LoginPath(Request, frozen=True, kw_only=True):
    login_id: UUID


class ChangePassword(Request, frozen=True, kw_only=True):
    """Set another password; all other logins end."""

    present: PasswordText
    password: PasswordText


class ForgotPassword(Request, frozen=True, kw_only=True):
    """Have a link mailed with which a new password can be set."""

    login: Annotated[str, Meta(min_length=1, max_length=254)]
    organization: Annotated[str, Meta(min_length=3, max_length=100)] | None = None


class SetPassword(Request, frozen=True, kw_only=True):
    """Set a password with the token of a link: of an invitation, or a forgotten password."""

    token: TokenText
    password: PasswordText


class VerifyEmail(Request, frozen=True, kw_only=True):
    """Confirm an address with the token of a link."""

    token: TokenText


class ChangeMyself(Request, frozen=True, kw_only=True):
    """What everybody may change of their own account; what is left out stays."""

    language: Language | None = None
    time_zone: Annotated[str, Meta(min_length=1, max_length=64, examples=["Asia/Riyadh"])] | None = None
