"""The one way to tell people something."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid5

from pydantic_core import to_jsonable_python

from sav_chassis.tx import Tx
from sav_contracts.claims import Safety
from sav_contracts.messages import Event
from sav_contracts.notifier import Category, Channel, NotificationChanged
from sav_notifier.effects import deliver
from sav_notifier.model import Notification
from sav_notifier.people import Person
from sav_notifier.rendering import subject_of

BY_MAIL: Channel = "email"


async def tell(
    tx: Tx, event: Event, people: Iterable[Person], template: str, category: Category, **facts: Any
) -> None:
    """Queues a message about the record of `event` to each of these people, once, in their language.

    `facts` are what its template needs; they are stored, so no secret may be among them. `to` is the address that it
    goes to, where that is not where these people are written to.
    """
    kept = to_jsonable_python(facts)
    for person in people:
        await _queue(tx, event, person, template, category, kept)


def signs(safety: Safety) -> list[str]:
    """The dangers that were reported, by name."""
    return [name for name, reported in safety.model_dump().items() if reported]


async def _queue(
    tx: Tx, event: Event, person: Person, template: str, category: Category, facts: dict[str, Any]
) -> None:
    event_id = tx.context.causation_id
    assert event_id is not None, "people are told of events, in reactions"
    # Of the event, the person and the channel: whoever heals or tells again makes no second one.
    id = uuid5(event_id, f"{person.id} {BY_MAIL}")
    if await tx.exists(Notification, id):
        return
    notification = tx.add(
        Notification(
            id=id,
            user_id=person.id,
            category=category,
            channel=BY_MAIL,
            template=template,
            locale=person.locale,
            event_id=event_id,
            about_kind=event.state.kind(),
            about_id=event.state.id,
            about_version=event.state.version,
            facts=facts,
            subject=subject_of(template, person.locale, facts),
            status="planned",
            attempts=0,
        )
    )
    if person.silent:
        notification.suppress(person.silent)
    else:
        notification.queue()
        tx.later(deliver, notification.id)
    tx.emit(NotificationChanged, notification)
