"""How a mail leaves: into a file, onto the console, or by SMTP."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol
from uuid import UUID

from lms.clock import Clock
from lms.mail.settings import MailSettings


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person."""

    id: UUID
    """The same when it is sent again, so that nobody gets it twice in different threads."""
    to: str
    subject: str
    text: str
    language: str
    calendar: bytes | None = None
    """What calendars take up of it (RFC 5545); attached."""


class Mailer(Protocol):
    """Sends; raises OSError for what may work later."""

    async def send(self, mail: Mail) -> None: ...


def make_mailer(settings: MailSettings, data: Path, clock: Clock) -> Mailer:
    """Return what the settings name."""
    match settings.send:
        case "file":
            return FileMailer(data / "mails", settings.sender, clock)
        case "console":
            return ConsoleMailer()
        case "smtp":
            return SmtpMailer(settings, clock)


def build_message(mail: Mail, sender: str, clock: Clock) -> EmailMessage:
    """Return a mail as RFC 5322 has it; the library refuses line breaks in headers."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(mail.id.hex, sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message["Content-Language"] = mail.language
    if mail.calendar is not None:
        message.add_attachment(
            mail.calendar.decode(), subtype="calendar", filename="class.ics", params={"method": "PUBLISH"}
        )
        message["Content-Language"] = mail.language  # the first one went with the text
    return message


class FileMailer:
    """Writes each mail into a file, `ID.eml`: nobody gets it, and everybody who runs the service can read it."""

    def __init__(self, folder: Path, sender: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        await asyncio.to_thread(self._write, mail)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{mail.id.hex}.eml"
        path.touch(mode=0o600)
        path.write_bytes(build_message(mail, self._sender, self._clock).as_bytes())


class ConsoleMailer:
    """Prints each mail."""

    async def send(self, mail: Mail) -> None:
        print(f"\n--- mail to {mail.to}\n{mail.subject}\n\n{mail.text}---", flush=True)


class SmtpMailer:
    """Hands mails to a server, in a thread."""

    def __init__(self, settings: MailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        await asyncio.to_thread(self._send, mail)

    def _send(self, mail: Mail) -> None:
        settings = self._settings
        context = ssl.create_default_context()
        message = build_message(mail, settings.sender, self._clock)
        if settings.encryption == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=context
            )
        else:
            connection = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with connection:
            if settings.encryption == "starttls":
                connection.starttls(context=context)
            if settings.user is not None and settings.password is not None:
                connection.login(settings.user, settings.password)
            connection.send_message(message)
