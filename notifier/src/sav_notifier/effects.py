"""Sending what is queued, outside any transaction, and recording what became of it."""

from email.message import EmailMessage
from typing import NamedTuple
from uuid import UUID

from sav_chassis.errors import TryLater
from sav_chassis.identity import Links
from sav_chassis.settings import Settings
from sav_chassis.tx import Begin, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.notifier import NotificationChanged, NotificationFailed, NotificationSent
from sav_notifier.app import notifier
from sav_notifier.mail import Outcome, composed, file_name, posted
from sav_notifier.model import Notification
from sav_notifier.people import Person, addressee
from sav_notifier.rendering import rendered
from sav_notifier.stale import why_stale

# What the link in a message is for; the page that it leads to has the same name.
LINKS = {
    "invitation": "invitation",
    "welcome": "verify-email",
    "verification": "verify-email",
    "new_address": "change-email",
    "password_reset": "password-reset",
    "sign_up_repeated": "password-reset",
}


class Letter(NamedTuple):
    """What is to be sent now, and to whom."""

    notification: Notification
    person: Person
    settings: Settings

    @property
    def file_name(self) -> str:
        """The name it has where it is kept as a file."""
        return file_name(self.notification, self.person)

    def written(self) -> EmailMessage:
        """The mail itself; whatever is raised is a fault of ours."""
        notification = self.notification
        facts = notification.facts | _known_when_sent(notification, self.settings)
        content = rendered(notification.template, notification.locale, self.person.name, facts)
        return composed(notification, self.person, content, self.settings.mail_from)


@notifier.effect
async def deliver(id: UUID, begin: Begin) -> None:
    """Sends a queued message, or drops it where it became stale.

    At least once: who is cut off after the server took it sends it again, with the same Message-ID.
    """
    async with begin() as tx:
        letter = await _to_send(tx, id)
    if letter is None:
        return
    try:
        mail = letter.written()
    except Exception as error:
        # Its text may quote what people wrote; the whole of it is for ops, who find it with the task.
        reason = f"{type(error).__name__} in {letter.notification.template}"
        await _keep(begin, id, Outcome("failed", reason))
        raise
    notification = await _keep(begin, id, await posted(mail, letter.settings, letter.file_name))
    if notification.waits:
        raise TryLater("the message could not be sent yet; its record says why")


async def _to_send(tx: Tx, id: UUID) -> Letter | None:
    notification = await tx.load(Notification, id, SYSTEM)
    if not notification.waits:
        return None
    person = await addressee(tx, notification.user_id, notification.category)
    if to := notification.facts.get("to"):
        person = person._replace(email=to)
    if reason := person.silent or await why_stale(tx, notification):
        notification.suppress(reason)
        tx.emit(NotificationChanged, notification)
        return None
    return Letter(notification, person, tx.settings)


def _known_when_sent(notification: Notification, settings: Settings) -> dict[str, str]:
    """What no row may hold, or what is the same in every message."""
    site = settings.frontend_url.rstrip("/")
    known = {"company": settings.seller.name, "site": site}
    if purpose := LINKS.get(notification.template):
        grant = notification.facts["grant_id"]
        token = Links(settings.link_secret).token(purpose, UUID(grant)) if grant else ""
        known |= {"token": token, "link": f"{site}/{purpose}?token={token}" if site and token else ""}
    return known


async def _keep(begin: Begin, id: UUID, outcome: Outcome) -> Notification:
    async with begin() as tx:
        notification = await tx.load(Notification, id, SYSTEM)
        _record(tx, notification, outcome, begin.attempt)
    return notification


def _record(tx: Tx, notification: Notification, outcome: Outcome, attempt: int) -> None:
    if not notification.waits:
        return  # another run, which held the lease before, was here first
    match outcome.status:
        case "sent" | "kept_locally":
            notification.leave(outcome.status, attempt, tx.now)
            tx.emit(NotificationSent, notification)
        case "dead":
            notification.give_up(outcome.reason, attempt)
            tx.emit(NotificationFailed, notification)
        case "failed":
            if notification.fail(outcome.reason, attempt, tx.now):
                tx.emit(NotificationFailed, notification)
