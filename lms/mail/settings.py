"""How mails leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lms.errors import SettingsError


@dataclass(frozen=True, slots=True)
class MailSettings:
    """By default mails are written into files of the data folder, and nobody gets any."""

    send: Literal["file", "console", "smtp"] = "file"
    """`file`: into the folder `mails` of the data folder; `console`: to standard output; `smtp`: to people."""
    sender: str = "halqa@localhost"
    host: str = "localhost"
    port: int = 587
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        if "@" not in self.sender or any(each in self.sender for each in "\r\n<>"):
            raise SettingsError(f"mail.sender is {self.sender!r}, expected an address")
        if not 1 <= self.port <= 65_535:
            raise SettingsError(f"mail.port is {self.port}, expected 1 to 65535")
        if (self.user is None) != (self.password is None):
            raise SettingsError("mail.user and mail.password go together, only one was given")
