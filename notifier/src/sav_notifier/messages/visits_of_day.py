"""The visits of a day, in one message: what managers and admins read before the first of them begins."""

from datetime import date, datetime, timedelta
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentReminderDue, AppointmentView
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_notifier.cases import reference_of
from sav_notifier.message import Message, message
from sav_notifier.messages.late import place_of
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient, managers_and_admins, technician_name
from sav_notifier.standing import unsettled


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


async def who_has_no_list(event: AppointmentReminderDue, tx: Tx) -> list[Recipient]:
    """Managers and admins who were not sent the visits of that day, and will not be."""
    people = await managers_and_admins(event, tx)
    listed = await tx.session.scalars(
        select(Notification.user_id).where(
            Notification.user_id.in_([person.id for person in people]),
            Notification.case_reference == day_of(event.state).isoformat(),
            Notification.status.not_in(["suppressed", "dead"]),
        )
    )
    have_it = set(listed)
    return [person for person in people if person.id not in have_it]


@message(
    "visits_of_day",
    on={AppointmentReminderDue: "list_visits_of_day"},
    since="2026-11-30",
    to=who_has_no_list,
    category="appointment",
)
class VisitsOfDay(Message):
    """Managers and admins read once a day, two hours before its first visit, which visits there are.

    The `reference` is the day, by which the message is compared; the visits are those of when it is sent.
    """

    reference: str
    visits: tuple[VisitOfDay, ...] = ()

    @classmethod
    async def about(cls, event: AppointmentReminderDue, tx: Tx) -> Self | str:
        if event.which != "two_hours":
            return "the visits of a day are listed on that day"
        return cls(reference=day_of(event.state).isoformat())

    def says(self, about: UUID) -> dict[str, str]:
        return {"visits": self.reference}

    async def why_over(self, tx: Tx) -> str | None:
        return None if await self._to_come(tx) else "no visit of that day is still to come"

    async def as_of_now(self, tx: Tx) -> Self:
        doubtful = await unsettled(tx)
        visits = [await VisitOfDay.of(tx, one, one.id in doubtful) for one in await self._to_come(tx)]
        return self.model_copy(update={"visits": tuple(visits)})

    async def _to_come(self, tx: Tx) -> list[AppointmentView]:
        """What is booked for that day and is not over, the earliest first."""
        day = date.fromisoformat(self.reference)
        booked = await tx.copies(AppointmentView).where(status="booked").all()
        found = [one for one in booked if one.end > tx.now and _is_on(one, day)]
        return sorted(found, key=lambda one: (one.start, one.id))


def day_of(booked: AppointmentView) -> date:
    """Its day on the clock of its place."""
    return booked.start.astimezone(ZoneInfo(booked.zone)).date()


def _is_on(booked: AppointmentView, day: date) -> bool:
    # Recorded times of old events go to the last year that Python knows, which may be in no zone.
    return abs(booked.start.date() - day) <= timedelta(days=1) and day_of(booked) == day


async def _place(tx: Tx, booked: AppointmentView) -> Place | None:
    """Where it is: as its visit knows, or while that is being planned its réclamation."""
    if booked.intervention_id:
        return await place_of(tx, await tx.view(InterventionView, booked.intervention_id))
    return (await tx.view(ReclamationView, booked.reclamation_id)).place if booked.reclamation_id else None
