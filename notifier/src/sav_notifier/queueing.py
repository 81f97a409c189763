"""Queues messages to people; nothing else does."""

from datetime import datetime, timedelta
from uuid import uuid5

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.messages import Event
from sav_contracts.notifier import Channel, NotificationChanged
from sav_notifier.effects import deliver
from sav_notifier.message import Message
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient
from sav_notifier.relevance import why_needless
from sav_notifier.rendering import subject_of
from sav_notifier.staleness import why_untrue

BY_MAIL: Channel = "email"
# A message that only says that something happened is of no use a week later, as when `heal` replays what was lost.
# One about something that still has to be done, or still holds, is.
NEWS_FOR = timedelta(days=7)


async def queue_message(tx: Tx, event: Event, message: Message) -> str | None:
    """Queues a message once for each recipient, in their language; or returns why it is news to none of them."""
    outcomes = [await _queue(tx, event, person, message) for person in await message.declared.to(event, tx)]
    return outcomes[0] if outcomes and all(outcomes) else None


async def _queue(tx: Tx, event: Event, person: Recipient, message: Message) -> str | None:
    event_id, declared = tx.context.causation_id, message.declared
    assert event_id is not None, "people are told of events, in reactions"
    # Derived from event, person and channel, so that a replayed or repeated event makes no second notification.
    id = uuid5(event_id, f"{person.id} {BY_MAIL}")
    if await tx.exists(Notification, id):
        return None
    if declared.once and await _told_with_it(tx, event, person, declared.template):
        return "they are told once of what was done in one transaction"
    message = message.read_by(person)
    facts = message.model_dump(mode="json")
    notification = Notification(
        id=id,
        user_id=person.id,
        category=message.of_category(),
        channel=BY_MAIL,
        template=declared.template,
        locale=person.locale,
        event_id=event_id,
        about_kind=event.state.kind(),
        about_id=event.state.id,
        about_version=event.state.version,
        facts=facts,
        case_reference=facts["reference"] if message.is_compared() else None,
        subject=subject_of(declared.template, person.locale, facts),
        status="planned",
        attempts=0,
    )
    if needless := await why_needless(tx, notification):
        return needless
    tx.add(notification)
    old = _why_old(message, tx.happened_at, tx.now)
    if silent := person.silent or why_untrue(message, event.state) or old:
        notification.suppress(silent)
    elif (due := message.not_before()) and due > tx.now:
        tx.later(deliver, notification.id, after=due - tx.now)
    else:
        notification.queue()
        tx.later(deliver, notification.id, after=declared.settles)
    tx.emit(notification, NotificationChanged())
    return None


async def _told_with_it(tx: Tx, event: Event, person: Recipient, template: str) -> bool:
    """Whether another event of the same transaction, which has the same state, told them already."""
    told = select(Notification.id).where(
        Notification.about_id == event.state.id,
        Notification.about_version == event.state.version,
        Notification.user_id == person.id,
        Notification.template == template,
    )
    return await tx.session.scalar(told.limit(1)) is not None


def _why_old(message: Message, happened: datetime, now: datetime) -> str | None:
    """Why the event is too old for the message; None while it is news, or if the message is lasting."""
    if message.declared.lasting or now - happened <= NEWS_FOR:
        return None
    return f"it happened on {happened:%F}: no news any more"
