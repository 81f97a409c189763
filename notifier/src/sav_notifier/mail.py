"""A mail and what became of it: taken by a server, refused, not yet taken, or kept in a folder."""

import asyncio
import os
import re
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    send,
)

from sav_chassis.fitness import Unfit
from sav_chassis.settings import Settings
from sav_notifier.model import Notification
from sav_notifier.people import Person
from sav_notifier.rendering import Rendered

# Seconds for the connection and for each answer, and for all of it but the goodbye; the chassis ends a run after 40.
ANSWERED_WITHIN = 10.0
SENT_WITHIN = 25.0
LONGEST_REASON = 500


class Outcome(NamedTuple):
    """What became of one try, and why where it failed: `failed` may go better later, `dead` will not."""

    status: Literal["sent", "kept_locally", "failed", "dead"]
    reason: str = ""


def check_mail(settings: Settings, room: str) -> None:
    """`Unfit` where no message could leave."""
    server = urlsplit(settings.smtp_url)
    if settings.smtp_url and (server.scheme not in ("smtp", "smtps") or not server.hostname):
        raise Unfit(
            f"{room}: SAV_SMTP_URL is no mail server; give smtp://user:password@host:587 or smtps://host"
        )
    if not settings.smtp_url and not settings.mailbox:
        raise Unfit(f"{room}: give SAV_SMTP_URL, a mail server, or SAV_MAILBOX, a folder that keeps the mail")


def composed(notification: Notification, person: Person, content: Rendered, mail_from: str) -> EmailMessage:
    """The mail, the same however often it is made: a server may know a second copy by its Message-ID."""
    local, _, domain = person.email.rpartition("@")
    mail = EmailMessage(policy=SMTP if local.isascii() else SMTPUTF8)
    mail["From"] = mail_from
    mail["To"] = Address(person.name, username=local, domain=domain.encode("idna").decode())
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(notification.created_at)
    mail["Message-ID"] = f"<{notification.id}@{mail['From'].addresses[0].domain}>"
    # RFC 3834: no out-of-office answers to this.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
    # Last: a second part takes the first one's Content headers with it.
    mail["Content-Language"] = notification.locale
    return mail


async def posted(mail: EmailMessage, settings: Settings, name: str) -> Outcome:
    """Sends it where a server is configured; else keeps it as a file of that name."""
    if settings.smtp_url:
        return await _sent(mail, settings.smtp_url)
    if settings.mailbox:
        return await asyncio.to_thread(_kept, mail, Path(settings.mailbox), name)
    return Outcome("failed", "neither SAV_SMTP_URL nor SAV_MAILBOX says where mail goes")


def file_name(notification: Notification, person: Person) -> str:
    """Sorts by time and says to whom and about what; the same for the same message."""
    at = f"{notification.created_at:%Y%m%d-%H%M%S}"
    return f"{at}-{_slug(person.email, 60)}-{_slug(notification.subject, 60)}-{notification.id.hex[:8]}.eml"


def _slug(text: str, longest: int) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9@._]+", "-", plain).strip("-.")[:longest].rstrip("-.")


async def _sent(mail: EmailMessage, url: str) -> Outcome:
    server = urlsplit(url)
    try:
        async with asyncio.timeout(SENT_WITHIN):
            await send(
                mail,
                hostname=server.hostname,
                port=server.port,
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password) if server.password else None,
                use_tls=server.scheme == "smtps",
                # A password never travels in clear; without one, STARTTLS is taken where it is offered.
                start_tls=True if server.username and server.scheme == "smtp" else None,
                timeout=ANSWERED_WITHIN,
            )
    except SMTPRecipientsRefused as refused:
        return _refused(mail, refused.recipients[0])
    except (SMTPSenderRefused, SMTPDataError) as refused:
        return _refused(mail, refused)
    except (SMTPException, OSError) as error:
        # The way there, not this message: login, TLS, a greeting that says no, silence, a cut connection.
        return Outcome("failed", _words(mail, str(error) or f"no answer within {SENT_WITHIN:.0f} s"))
    return Outcome("sent")


def _refused(
    mail: EmailMessage, refusal: SMTPRecipientRefused | SMTPSenderRefused | SMTPDataError
) -> Outcome:
    # RFC 5321, 4.2.1: 5yz is for good, 4yz for now.
    status: Literal["dead", "failed"] = "dead" if refusal.code >= 500 else "failed"
    return Outcome(status, _words(mail, f"{refusal.code} {refusal.message}"))


def _words(mail: EmailMessage, said: str) -> str:
    """What the server said, without the address, which it likes to repeat."""
    for address in mail["To"].addresses:
        said = re.sub(re.escape(address.addr_spec), "…", said, flags=re.IGNORECASE)
    return " ".join(said.split())[:LONGEST_REASON]


def _kept(mail: EmailMessage, mailbox: Path, name: str) -> Outcome:
    try:
        mailbox.mkdir(parents=True, exist_ok=True)
        # Nobody who looks for mails finds it half written.
        part = mailbox / f".{name}.part"
        part.write_bytes(mail.as_bytes())
        os.replace(part, mailbox / name)
    except OSError as error:
        return Outcome("failed", f"the mailbox folder cannot be written: {error.strerror}")
    return Outcome("kept_locally")
