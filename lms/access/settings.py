"""How long a login holds, and what passwords must be."""

from __future__ import annotations

from dataclasses import dataclass, field

from lms.errors import SettingsError

SECRET_CHARACTERS_MIN = 32


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Access and refresh tokens."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Sign access tokens, the first one; the others are still taken. Empty: one is made, in `lms-secret` of the data
    folder. Several processes need the same.
    """
    access_s: float = 900.0
    """15 minutes."""
    refresh_s: float = 604_800.0
    """7 days after the last use."""
    login_s: float = 7_776_000.0
    """90 days after the login, however much it is used."""
    grace_s: float = 30.0
    """For so long a refresh token that was just used may come again: ten tabs that wake up at once show the same one.
    Later it was stolen, and the whole login ends.
    """
    standing_s: float = 10.0
    """For so long another process may still take the token of an account that was suspended."""

    def __post_init__(self) -> None:
        for secret in self.secrets:
            if len(secret) < SECRET_CHARACTERS_MIN:
                raise SettingsError(
                    f"tokens.secrets has one of {len(secret)} characters, expected {SECRET_CHARACTERS_MIN} or more"
                )
        for name in ("access_s", "refresh_s", "login_s"):
            if not 1 <= getattr(self, name) <= 31_536_000:
                raise SettingsError(f"tokens.{name} is {getattr(self, name):g}, expected 1 to 31536000 seconds")
        for name in ("grace_s", "standing_s"):
            if not 0 <= getattr(self, name) <= 300:
                raise SettingsError(f"tokens.{name} is {getattr(self, name):g}, expected 0 to 300 seconds")
