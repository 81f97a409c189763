"""Composes mails and delivers them, to a server or into a folder."""

import asyncio
import os
import re
import unicodedata
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
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

from sav_chassis.calendar_files import Entry, Method, calendar_text, event_text
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_notifier.headers import NoAddress, mailbox, mailbox_line, mailbox_of, text_line
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient
from sav_notifier.rendering import Rendered
from sav_notifier.user_text import one_line

# Seconds for the connection and for each reply; for all of it without the QUIT: the chassis ends a run after 40.
ANSWERED_WITHIN = 10.0
SENT_WITHIN = 25.0
LONGEST_REASON = 500
CALENDAR_FILE = "rendez-vous.ics"


class DeliveryResult(NamedTuple):
    """The outcome of one attempt, and the reason of a failure: `failed` may succeed later, `dead` never will."""

    status: Literal["sent", "kept_locally", "failed", "dead"]
    reason: str = ""


class Mail(NamedTuple):
    """A mail as a server gets it: the two addresses, and its bytes."""

    sender: str
    recipient: str
    content: bytes


def check_mail(settings: Settings, room: str) -> None:
    """`CannotStart` where the settings allow no mail to be sent or kept."""
    server = urlsplit(settings.smtp_url)
    if settings.smtp_url and (server.scheme not in ("smtp", "smtps") or not server.hostname):
        raise CannotStart(
            f"{room}: SAV_SMTP_URL is no mail server; give smtp://user:password@host:587 or smtps://host"
        )
    if not settings.smtp_url and not settings.mailbox:
        raise CannotStart(
            f"{room}: give SAV_SMTP_URL, a mail server, or SAV_MAILBOX, a folder that keeps the mail"
        )
    try:
        mailbox_of(settings.mail_from)
    except NoAddress as error:
        raise CannotStart(
            f'{room}: SAV_MAIL_FROM: {error}; give Name <sav@example.com>, or "Name, Ltd" <sav@example.com>'
        ) from error


def composed(
    notification: Notification,
    person: Recipient,
    content: Rendered,
    mail_from: str,
    entries: Sequence[Entry] = (),
) -> Mail:
    """The mail, the same however often it is made: a server may recognise a second copy by its Message-ID.

    With `entries` for the reader's calendar, which are attached in one file. `NoAddress` where the person has no
    address that mail can be sent to.
    """
    sender, recipient = mailbox_of(mail_from), mailbox(person.name, person.email)
    # Python's headers get nothing that people typed: they decode encoded words in a value.
    message = EmailMessage(policy=SMTP)
    message["Date"] = format_datetime(notification.created_at)
    message["Message-ID"] = f"<{notification.id}@{sender.domain}>"
    # RFC 3834: no out-of-office answers to this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text, cte="quoted-printable")
    message.add_alternative(content.html, subtype="html", cte="quoted-printable")
    if entries:
        _attach(message, entries, sender.address)
    # Set last: adding the second part moves the Content headers into the first part.
    message["Content-Language"] = notification.locale
    head = (
        mailbox_line("From", sender) + mailbox_line("To", recipient) + text_line("Subject", content.subject)
    )
    return Mail(sender.address, recipient.address, head + message.as_bytes())


def _attach(message: EmailMessage, entries: Sequence[Entry], organizer: str) -> None:
    """Adds the file (RFC 6047). It only tells: a REQUEST would ask for an answer to an address that nobody reads.

    One that is published may have a cancelled entry beside another one (RFC 5546, 3.2.1).
    """
    method: Method = "CANCEL" if all(entry.cancelled for entry in entries) else "PUBLISH"
    events = [event_text(entry, organizer) for entry in entries]
    file = calendar_text(events, {entry.zone for entry in entries}, method=method)
    message.add_attachment(
        file.encode(),
        maintype="text",
        subtype="calendar",
        filename=CALENDAR_FILE,
        params={"method": method, "charset": "utf-8"},
    )


async def posted(mail: Mail, settings: Settings, name: str) -> DeliveryResult:
    """Sends it where a server is configured; else keeps it as a file of that name."""
    if settings.smtp_url:
        return await _sent(mail, settings.smtp_url)
    if settings.mailbox:
        return await asyncio.to_thread(_kept, mail, Path(settings.mailbox), name)
    return DeliveryResult("failed", "neither SAV_SMTP_URL nor SAV_MAILBOX says where mail goes")


def file_name(notification: Notification, person: Recipient) -> str:
    """A mail's file name: sorts by time, names recipient and subject, is the same each time."""
    at = f"{notification.created_at:%Y%m%d-%H%M%S}"
    return f"{at}-{_slug(person.email, 60)}-{_slug(notification.subject, 60)}-{notification.id.hex[:8]}.eml"


def _slug(text: str, longest: int) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9@._]+", "-", plain).strip("-.")[:longest].rstrip("-.")


async def _sent(mail: Mail, url: str) -> DeliveryResult:
    server = urlsplit(url)
    try:
        async with asyncio.timeout(SENT_WITHIN):
            await send(
                mail.content,
                sender=mail.sender,
                recipients=[mail.recipient],
                mail_options=[] if (mail.sender + mail.recipient).isascii() else ["SMTPUTF8"],
                hostname=server.hostname,
                port=server.port,
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password) if server.password else None,
                use_tls=server.scheme == "smtps",
                # A password never travels unencrypted; without one, STARTTLS is used where it is offered.
                start_tls=True if server.username and server.scheme == "smtp" else None,
                timeout=ANSWERED_WITHIN,
            )
    except SMTPRecipientsRefused as refused:
        return _refused(mail, refused.recipients[0])
    except (SMTPSenderRefused, SMTPDataError) as refused:
        return _refused(mail, refused)
    except (SMTPException, OSError) as error:
        # The connection failed, not this mail: login, TLS, a refusing greeting, no reply, a cut connection.
        return DeliveryResult("failed", _words(mail, str(error) or f"no answer within {SENT_WITHIN:.0f} s"))
    return DeliveryResult("sent")


def _refused(mail: Mail, refusal: SMTPRecipientRefused | SMTPSenderRefused | SMTPDataError) -> DeliveryResult:
    # RFC 5321, 4.2.1: 5yz is permanent, 4yz temporary.
    status: Literal["dead", "failed"] = "dead" if refusal.code >= 500 else "failed"
    return DeliveryResult(status, _words(mail, f"{refusal.code} {refusal.message}"))


def _words(mail: Mail, said: str) -> str:
    """The server's reply as text, without the recipient's address, which servers often repeat."""
    said = re.sub(re.escape(mail.recipient), "…", one_line(said), flags=re.IGNORECASE)
    return " ".join(said.split())[:LONGEST_REASON]


def _kept(mail: Mail, mailbox: Path, name: str) -> DeliveryResult:
    try:
        mailbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Renamed when complete: nobody finds a half-written mail.
        part = mailbox / f".{name}.part"
        part.write_bytes(mail.content)
        os.replace(part, mailbox / name)
    except OSError as error:
        return DeliveryResult("failed", f"the mailbox folder cannot be written: {error.strerror}")
    return DeliveryResult("kept_locally")
