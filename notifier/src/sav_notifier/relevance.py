"""What a person was told about a case (a réclamation), and whether a message is news to them.

One cause has many events, which arrive one by one and possibly in another order. So messages are compared by their
statements, in the order in which their events happened, and judged when they are sent.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select, update

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_notifier.message import message_of
from sav_notifier.model import Notification

NOTHING_NEW = "nothing new: they know it already"
OVERTAKEN = "overtaken: there is newer news"
JUDGED = {NOTHING_NEW, OVERTAKEN}
NEVER = UUID(int=0)
# Who comes, of a réclamation that nobody has.
NOBODY_YET = "nobody yet"
# Visits whose technician came.
KEPT: frozenset[InterventionStatus] = frozenset({"completed", "incomplete", "no_access"})


class Statement(NamedTuple):
    """What a person was told last on a topic, and about which record."""

    record: UUID
    content: str


Knowledge = dict[str, Statement]
Window = tuple[datetime, datetime]


async def knowledge(tx: Tx, person: UUID, reference: str) -> Knowledge:
    """What a person was told about a case, or is about to be told."""
    return _known(await case(tx, person, reference))


async def replaced(tx: Tx, person: UUID, reference: str, topic: str, content: str) -> Window | None:
    """The time that the person still expects, if `content` is another one; what was not sent yet is ignored."""
    expected = await _expected(tx, person, reference, topic)
    if expected is None or "/" not in expected.content or expected.content == content:
        return None
    start, _, end = expected.content.partition("/")
    return datetime.fromisoformat(start), datetime.fromisoformat(end)


async def replaced_technician(tx: Tx, person: UUID, reference: str, by: UUID) -> UUID | None:
    """The technician whom the person still expects, if that is somebody else; what was not sent yet is ignored."""
    expected = await _expected(tx, person, reference, "technician")
    if expected is None or expected.content in (NOBODY_YET, str(by)):
        return None
    return UUID(expected.content)


async def replaced_appointment(
    tx: Tx, person: UUID, reference: str, by: AppointmentView
) -> AppointmentView | None:
    """The appointment that the person still expects, if it is another record; what was not sent yet is ignored."""
    expected = await _expected(tx, person, reference, "arrival")
    if expected is None or expected.record == by.id:
        return None
    before = await tx.copies(AppointmentView).one(expected.record)
    return before if before and before.end > tx.now else None


async def _expected(tx: Tx, person: UUID, reference: str, topic: str) -> Statement | None:
    rows = await case(tx, person, reference)
    standing = _known(row for row in rows if row.sent_at or row.tried or _is_own(row)).get(topic)
    return None if standing is None or await _took_place(tx, standing.record) else standing


async def _took_place(tx: Tx, record: UUID) -> bool:
    """Whether a visit or an appointment was kept, be it in vain: another one takes no place of it."""
    visit = await tx.copies(InterventionView).one(record)
    appointment = await tx.copies(AppointmentView).one(record)
    return (visit is not None and visit.status in KEPT) or (
        appointment is not None and appointment.status in ("done", "no_show")
    )


def window(start: datetime | None, end: datetime | None) -> str:
    """A time as the content of a statement: the same time is always written the same way."""
    return f"{_written(start)}/{_written(end)}" if start and end else "to come"


async def case(tx: Tx, person: UUID, reference: str) -> list[Notification]:
    """A person's notifications about a case, sent or waiting, in the order of events; locks out other writers."""
    await tx.lock(f"told {person} {reference}")
    found = await tx.session.scalars(
        select(Notification)
        .where(Notification.user_id == person, Notification.case_reference == reference)
        .where(Notification.status != "dead")
        .execution_options(populate_existing=True)
    )
    rows = (row for row in found if _readable(row))
    return sorted(
        (row for row in rows if row.status != "suppressed" or row.reason in JUDGED or _is_own(row)),
        key=_happened,
    )


async def why_needless(tx: Tx, notification: Notification) -> str | None:
    """Why a message that is not recorded yet changes nothing of what its recipient knows; None if it does."""
    if notification.case_reference is None:
        return None
    rows = await case(tx, notification.user_id, notification.case_reference)
    if _known(rows) == _known(sorted([*rows, notification], key=_happened)):
        return NOTHING_NEW
    return None


async def why_no_news(tx: Tx, notification: Notification) -> str | None:
    """Why a message need not be sent: in the end its recipient knows no more by it. None marks it as tried."""
    if notification.case_reference is None:
        return None
    rows = await case(tx, notification.user_id, notification.case_reference)
    if reason := _judged(notification, rows):
        return reason
    # A mail that was given to a server may have been read, whatever the outcome.
    tried = update(Notification).where(Notification.id == notification.id).values(tried_at=tx.now)
    await tx.session.execute(tried.execution_options(synchronize_session=False))
    return None


def _judged(this: Notification, rows: list[Notification]) -> str | None:
    # The message of a later event may have been sent first; that alone does not make this one obsolete.
    earlier = (row for row in rows if _happened(row) < _happened(this))
    before = _known(row for row in earlier if _is_told(row))
    after = _known(rows)
    others = [row for row in rows if row.id != this.id]
    perhaps = [row for row in others if row.tried and (row.waits or row.reason == OVERTAKEN)]
    if _takes_back(this):
        claimed = {row.about_id for row in others if row.waits and _takes_back(row)}
        told = _known(row for row in rows if _is_told(row))
        # Of what they were told since that somebody else comes, or at another time, the other cancellation speaks.
        known = {topic: said for topic, said in before.items() if _is_of(told, topic, said.record)}
        known |= _known(row for row in perhaps if row.about_id == this.about_id)
        missed = (
            topic not in after and (said.record == this.about_id or said.record not in claimed)
            for topic, said in known.items()
        )
        return None if any(missed) else OVERTAKEN
    says = _says(this)
    if says and _settles(this) and all(_is_said_later(this, others, *said) for said in says.items()):
        return OVERTAKEN
    for topic, content in says.items():
        if not _is(after, topic, content) or _is_said_before(this, others, topic, content):
            continue
        if not _is(before, topic, content) or _is_doubtful(perhaps, others, topic, content):
            return None
    return NOTHING_NEW if all(_is(after, topic, content) for topic, content in says.items()) else OVERTAKEN


def _is(knowledge: Knowledge, topic: str, content: str) -> bool:
    return topic in knowledge and knowledge[topic].content == content


def _is_of(knowledge: Knowledge, topic: str, record: UUID) -> bool:
    return topic in knowledge and knowledge[topic].record == record


def _is_said_before(this: Notification, others: list[Notification], topic: str, content: str) -> bool:
    """Whether an earlier message that still waits says the same, and no message takes it back."""
    taken_back = {row.about_id for row in others if _takes_back(row)}
    return any(
        row.waits
        and _happened(row) < _happened(this)
        and row.about_id not in taken_back
        and _says(row).get(topic) == content
        for row in others
    )


def _is_said_later(this: Notification, others: list[Notification], topic: str, content: str) -> bool:
    """Whether a later message, which was sent or still will be, says the same: this one waited for that."""
    return any(
        (row.waits or row.sent_at) and _happened(row) > _happened(this) and _says(row).get(topic) == content
        for row in others
    )


def _is_doubtful(perhaps: list[Notification], others: list[Notification], topic: str, content: str) -> bool:
    """Whether the person may have read something else on the topic since a message was certainly sent."""
    certain = [_happened(row) for row in others if row.sent_at and topic in _says(row)]
    return any(
        _says(row).get(topic, content) != content and _happened(row) > max(certain, default=NEVER)
        for row in perhaps
    )


def _known(rows: Iterable[Notification]) -> Knowledge:
    known: Knowledge = {}
    for row in rows:
        if _takes_back(row):
            known = {topic: said for topic, said in known.items() if said.record != row.about_id}
        known |= {topic: Statement(row.about_id, content) for topic, content in _says(row).items()}
    return known


def _readable(row: Notification) -> bool:
    """An unreadable message fails when it is sent; here it is skipped."""
    try:
        message_of(row)
    except (KeyError, ValidationError):
        return False
    return True


def _says(row: Notification) -> dict[str, str]:
    return message_of(row).says(row.about_id)


def _is_told(row: Notification) -> bool:
    """Whether its recipient knows what it says: it was sent, said nothing new, or is what they did themselves."""
    return _is_own(row) or (not row.waits and row.reason != OVERTAKEN)


def _is_own(row: Notification) -> bool:
    """Whether it tells its recipient what they chose: nobody else's choice takes the place of that without a word."""
    return bool(getattr(message_of(row), "own", False))


def _takes_back(row: Notification) -> bool:
    return message_of(row).declared.takes_back


def _settles(row: Notification) -> bool:
    return bool(message_of(row).declared.settles)


def _written(at: datetime) -> str:
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:  # near the last year that Python knows
        return at.isoformat()


def _happened(row: Notification) -> UUID:
    """Ids of events sort by the time at which they happened (RFC 9562, version 7)."""
    return row.event_id
