"""How the operator is known over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field

from lms.errors import SettingsError

TOKEN_CHARACTERS_MIN = 32


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """The operator's own endpoints."""

    token: str | None = field(default=None, repr=False)
    """For `/api/v1/operator`, as `Authorization: Bearer`; at least 32 characters. None: these endpoints refuse all."""

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < TOKEN_CHARACTERS_MIN:
            raise SettingsError(
                f"operator.token has {len(self.token)} characters, expected {TOKEN_CHARACTERS_MIN} or more"
            )
