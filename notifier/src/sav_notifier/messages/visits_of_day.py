"""The visits of a day, in one message: what managers and admins read in the morning."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentMoved,
    AppointmentReminderDue,
    AppointmentView,
)
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_notifier.cases import reference_of
from sav_notifier.message import Message, message
from sav_notifier.messages.late import place_of
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient, managers_and_admins, technician_name
from sav_notifier.standing import unsettled
from sav_notifier.zones import HERE


class VisitOfDay(BaseModel):
    """One of them, in the zone of its place."""

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    zone: str
    city: str | None
    technician: str
    reference: str
    # Whether a conflict about it is open.
    unsettled: bool = False

    @classmethod
    async def of(cls, tx: Tx, booked: AppointmentView, unsettled: bool) -> Self:
        place = await _place(tx, booked)
        return cls(
            start=booked.start,
            end=booked.end,
            zone=booked.zone,
            city=place.city if place else None,
            technician=await technician_name(tx, booked.technician_id),
            reference=await reference_of(tx, booked.reclamation_reference, booked.intervention_id),
            unsettled=unsettled,
        )


Near = AppointmentReminderDue | AppointmentBooked | AppointmentMoved
# On the clock of each reader.
MORNING, NOON = time(7), time(12)
DAY = timedelta(days=1)
# Before that, the reminder of the day before is still to come, in whichever zone the visit is.
NEAR = 2 * DAY


async def who_has_no_list(event: Near, tx: Tx) -> list[Recipient]:
    """Managers and admins who were not sent the visits of that day, and will not be."""
    day = day_of(event.state)
    people = await managers_and_admins(event, tx)
    listed = await tx.session.scalars(
        select(Notification.user_id).where(
            Notification.user_id.in_([person.id for person in people]),
            Notification.case_reference == day.isoformat(),
            Notification.status.not_in(["suppressed", "dead"]),
        )
    )
    have_it = set(listed)
    # The first visit of a day that was booked later than in the morning is listed with its last reminder.
    late = isinstance(event, AppointmentReminderDue)
    return [
        person
        for person in people
        if person.id not in have_it and (late or _morning(day, person.zone) > tx.now)
    ]


@message(
    "visits_of_day",
    on=dict.fromkeys((AppointmentReminderDue, AppointmentBooked, AppointmentMoved), "list_visits_of_day"),
    since="2026-11-30",
    to=who_has_no_list,
    category="appointment",
    lasting=False,
)
class VisitsOfDay(Message):
    """Managers and admins read once a day, in their morning, which visits there are, each on the day of its place.

    The `reference` is the day, by which the message is compared; the visits are those of when it is sent.
    """

    reference: str
    visits: tuple[VisitOfDay, ...] = ()
    # The zone of its reader.
    here: str = HERE

    @classmethod
    async def about(cls, event: Near, tx: Tx) -> Self | str:
        booked = event.state
        if not isinstance(event, AppointmentReminderDue) and booked.start - tx.happened_at > NEAR:
            return "its day is listed once it is near"
        return cls(reference=day_of(booked).isoformat())

    def read_by(self, person: Recipient) -> Self:
        return self.model_copy(update={"here": person.zone})

    def not_before(self) -> datetime:
        return _morning(date.fromisoformat(self.reference), self.here)

    def useful_until(self) -> datetime:
        # By then the day is over in every zone.
        return datetime.combine(date.fromisoformat(self.reference) + DAY, NOON, UTC)

    def says(self, about: UUID) -> dict[str, str]:
        return {"visits": self.reference}

    async def why_over(self, tx: Tx) -> str | None:
        return None if await self._booked(tx) else "nothing is booked for that day any more"

    async def as_of_now(self, tx: Tx) -> Self:
        doubtful = await unsettled(tx)
        visits = [await VisitOfDay.of(tx, one, one.id in doubtful) for one in await self._booked(tx)]
        return self.model_copy(update={"visits": tuple(visits)})

    async def _booked(self, tx: Tx) -> list[AppointmentView]:
        """What is booked for that day, in the order in which it happens."""
        day = date.fromisoformat(self.reference)
        booked = await tx.copies(AppointmentView).where(status="booked").all()
        return sorted((one for one in booked if _is_on(one, day)), key=lambda one: (one.start, one.id))


def _morning(day: date, zone: str) -> datetime:
    return datetime.combine(day, MORNING, ZoneInfo(zone))


def day_of(booked: AppointmentView) -> date:
    """Its day on the clock of its place."""
    return booked.start.astimezone(ZoneInfo(booked.zone)).date()


def _is_on(booked: AppointmentView, day: date) -> bool:
    # Recorded times of old events go to the last year that Python knows, which may be in no zone.
    return abs(booked.start.date() - day) <= DAY and day_of(booked) == day


async def _place(tx: Tx, booked: AppointmentView) -> Place | None:
    """Where it is: as its visit knows, or while that is being planned its réclamation."""
    if booked.intervention_id:
        return await place_of(tx, await tx.view(InterventionView, booked.intervention_id))
    return (await tx.view(ReclamationView, booked.reclamation_id)).place if booked.reclamation_id else None
