"""Sends queued notifications, outside any transaction, and records the outcome."""

from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError

from sav_chassis.errors import TryLater
from sav_chassis.identity import Links
from sav_chassis.settings import Settings
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.fields import Locale
from sav_contracts.notifier import (
    NotificationChanged,
    NotificationFailed,
    NotificationKeptLocally,
    NotificationSent,
)
from sav_notifier.app import notifier
from sav_notifier.calendar_entries import calendar_entries
from sav_notifier.headers import NoAddress
from sav_notifier.mail import DeliveryResult, Mail, composed, file_name, posted
from sav_notifier.message import Message, message_of
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient, addressee
from sav_notifier.rendering import rendered
from sav_notifier.settings import sender
from sav_notifier.staleness import why_stale
from sav_notifier.user_text import is_address, unlinked


class OutgoingMail(NamedTuple):
    """A notification to be sent now, and its recipient."""

    notification: Notification
    person: Recipient
    settings: Settings
    # None where the record does not hold one that can be read.
    message: Message | None = None

    @property
    def file_name(self) -> str:
        """The name of the file where mail is kept locally."""
        return file_name(self.notification, self.person)

    def written(self) -> Mail:
        """The mail; `NoAddress` where it cannot be addressed. Any other exception is a fault of ours."""
        notification = self.notification
        message = self.message or message_of(notification)
        name, typed = self.person.name, message.model_dump(mode="json")
        if not self.person.confirmed:
            # Somebody may have given a stranger's address, to have their own words and links delivered there.
            seen = {name: typed[name] for name in message.seen() if is_address(typed[name])}
            name, typed = unlinked(name), unlinked(typed) | seen
        facts = typed | _known_when_sent(message, notification.locale, self.settings, self.person.confirmed)
        content = rendered(notification.template, notification.locale, name, facts)
        entries = calendar_entries(message, notification.locale)
        return composed(notification, self.person, content, self.settings.mail_from, entries)


@notifier.effect
async def deliver(id: UUID, run: EffectRun) -> None:
    """Sends a queued notification, or suppresses it where it became stale.

    At least once: a run that is cut off after the server accepted the mail sends it again, with the same Message-ID.
    """
    async with run() as tx:
        outgoing = await _to_send(tx, id)
    if outgoing is None:
        return
    try:
        mail = outgoing.written()
    except NoAddress as error:
        await _keep(run, id, DeliveryResult("dead", str(error)))
        return
    except Exception as error:
        # The error's text may quote what people wrote; operators find all of it with the task.
        reason = f"{type(error).__name__} in {outgoing.notification.template}"
        await _keep(run, id, DeliveryResult("failed", reason))
        raise
    notification = await _keep(run, id, await posted(mail, outgoing.settings, outgoing.file_name))
    if notification.waits:
        raise TryLater("the message could not be sent yet; its record says why")


async def _to_send(tx: Tx, id: UUID) -> OutgoingMail | None:
    notification = await tx.load(Notification, id, SYSTEM)
    if not notification.waits:
        return None
    if notification.status == "planned":
        notification.queue()
        tx.emit(notification, NotificationChanged())
    person = await addressee(tx, notification.user_id, notification.category)
    if to := notification.facts.get("to"):
        person = person._replace(email=to, confirmed=person.confirmed and to == person.email)
    outgoing = OutgoingMail(notification, person, tx.settings)
    try:
        message = message_of(notification)
    except (KeyError, ValidationError):
        return outgoing  # writing it fails, and the record says so
    if reason := person.silent or await why_stale(tx, notification):
        notification.suppress(reason)
        tx.emit(notification, NotificationChanged())
        return None
    return outgoing._replace(message=await message.as_of_now(tx))


def _known_when_sent(
    message: Message, language: Locale, settings: Settings, confirmed: bool
) -> dict[str, str]:
    """The facts that no row may hold, or that are the same in every message."""
    site = settings.frontend_url.rstrip("/")
    firm = sender().seller
    contact = ", ".join(filter(None, (firm.phone, firm.email)))
    known = {"company": firm.name, "contact": contact, "site": site}
    # Where goods and forms are sent.
    known |= {"firm_address": firm.address, "firm_email": firm.email or ""}
    if purpose := message.link_purpose():
        # A paper says where people live, a visit may be cancelled or moved: a stranger's address gets no link to it.
        may_read = confirmed or purpose not in ("paper", "visit", "times")
        grant = getattr(message, "grant_id", None) if may_read else None
        token = Links(settings.link_secret).token(purpose, grant) if grant else ""
        known["link"] = settings.page(purpose, token, language) if token else ""
    return known


async def _keep(run: EffectRun, id: UUID, outcome: DeliveryResult) -> Notification:
    async with run() as tx:
        notification = await tx.load(Notification, id, SYSTEM)
        _record(tx, notification, outcome, run.attempt)
    return notification


def _record(tx: Tx, notification: Notification, outcome: DeliveryResult, attempt: int) -> None:
    if not notification.waits:
        return  # another run, which held the lease before, has recorded its outcome
    match outcome.status:
        case "sent" | "kept_locally":
            notification.leave(outcome.status, attempt, tx.now)
            sent = outcome.status == "sent"
            tx.emit(notification, NotificationSent() if sent else NotificationKeptLocally())
        case "dead":
            notification.give_up(outcome.reason, attempt)
            tx.emit(notification, NotificationFailed())
        case "failed":
            if notification.fail(outcome.reason, attempt, tx.now):
                tx.emit(notification, NotificationFailed())
