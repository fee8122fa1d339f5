"""What passwords must be, and what checking them may cost."""

from __future__ import annotations

from dataclasses import dataclass

from lms.errors import SettingsError


@dataclass(frozen=True, slots=True)
class PasswordSettings:
    """Of the whole service; an organization may ask for more."""

    characters_min: int = 12
    """At least 8 (NIST SP 800-63B)."""
    characters_max: int = 128
    """Of a password."""
    kinds_min: int = 1
    """Of lower case, upper case, digits and signs: so many must occur."""
    history: int = 5
    """So many earlier passwords cannot be taken again."""
    max_age_days: int = 0
    """After so many days a new one must be chosen; 0: never, as NIST recommends."""
    memory_kib: int = 19_456
    """Of one check with argon2id: 19 MiB, two passes and one lane, as OWASP recommends."""
    passes: int = 2
    """Of argon2id over its memory."""
    threads: int = 2
    """So many passwords are checked at the same time; others wait."""
    invitation_s: float = 604_800.0
    """How long an invitation holds: 7 days."""
    reset_s: float = 3600.0
    """How long a link to a new password holds: 1 h."""

    def __post_init__(self) -> None:
        if not 8 <= self.characters_min <= self.characters_max <= 1024:
            raise SettingsError(
                f"passwords.characters_min is {self.characters_min} and characters_max {self.characters_max}, "
                "expected 8 to 1024, rising"
            )
        ranges = {
            "kinds_min": (1, 4),
            "history": (0, 24),
            "max_age_days": (0, 3650),
            "memory_kib": (64, 1 << 20),
            "passes": (1, 16),
        }
        for name, (least, most) in (ranges | {"threads": (1, 64)}).items():
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"passwords.{name} is {getattr(self, name)}, expected {least} to {most}")
