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
    """Address that mails come from."""
    host: str = "localhost"
    """Of the SMTP server."""
    port: int = 587
    """Of the SMTP server: 587 for STARTTLS, 465 for TLS."""
    user: str | None = None
    """To log in to the SMTP server with, if it asks for it."""
    password: str | None = field(default=None, repr=False)
    """Of that user."""
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    """`none`: whoever is on the way reads the mails, and the links in them."""
    timeout_s: float = 20.0
    """For each answer of the SMTP server."""

    def __post_init__(self) -> None:
        if "@" not in self.sender or any(each in self.sender for each in "\r\n<>"):
            raise SettingsError(f"mail.sender is {self.sender!r}, expected an address")
        if not 1 <= self.port <= 65_535:
            raise SettingsError(f"mail.port is {self.port}, expected 1 to 65535")
        if (self.user is None) != (self.password is None):
            raise SettingsError("mail.user and mail.password go together, only one was given")
