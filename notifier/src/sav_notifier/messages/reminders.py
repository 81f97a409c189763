"""Reminders of visits that are near."""

from datetime import datetime
from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentReminderDue, AppointmentView
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.visit import InterventionView
from sav_notifier.cases import article_of, reference_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.late import place_of
from sav_notifier.recipients import client, its_client, its_technician, phones_of, technician_name
from sav_notifier.standing import may_change, unsettled

UNSETTLED = "nobody knows yet that it takes place"


class Reminder(Message):
    """A booked visit that is near; of no use once it begins, and not sent where it was moved or cancelled meanwhile.

    Nor where somebody else comes, or a conflict about it is open.
    """

    reference: str
    start: datetime
    zone: str
    technician_id: Internal[UUID | None] = None
    appointment_id: Internal[UUID | None] = None

    def useful_until(self) -> datetime:
        return self.start

    def true_while(self, record: AppointmentView) -> bool:
        same = self.technician_id in (None, record.technician_id)
        return record.status == "booked" and record.start == self.start and same

    async def why_over(self, tx: Tx) -> str | None:
        doubt = self.appointment_id and self.appointment_id in await unsettled(tx)
        return UNSETTLED if doubt else None


@message(
    "appointment_reminder",
    on={AppointmentReminderDue: "remind_of_visit"},
    since="2026-11-30",
    to=its_client,
    category="appointment",
    link="visit",
)
class ReminderForClient(Reminder):
    """The client is reminded of when the technician arrives."""

    grant_id: Internal[UUID]
    intervention_id: Internal[UUID | None] = None
    start: Internal[datetime]
    technician: str
    arrival_from: datetime
    arrival_until: datetime
    # Whether they said already that they will be there.
    confirmed: bool
    may_change: bool = True

    @classmethod
    async def about(cls, event: AppointmentReminderDue, tx: Tx) -> Self | str:
        state = event.state
        if event.unsettled:
            return UNSETTLED
        if event.client_knows:
            return "they read just now that it stands"
        return cls(
            grant_id=state.id,
            intervention_id=state.intervention_id,
            reference=await reference_of(tx, state.reclamation_reference, state.intervention_id),
            start=state.start,
            zone=state.zone,
            technician_id=state.technician_id,
            appointment_id=state.id,
            technician=await technician_name(tx, state.technician_id),
            arrival_from=state.arrival_from,
            arrival_until=state.arrival_until,
            confirmed=state.confirmed,
        )

    async def as_of_now(self, tx: Tx) -> Self:
        return self.model_copy(update={"may_change": await may_change(tx, self.start, self.intervention_id)})


@message(
    "visit_reminder",
    on={AppointmentReminderDue: "remind_of_visit"},
    since="2026-11-30",
    to=its_technician,
    category="appointment",
)
class ReminderForTechnician(Reminder):
    """The technician is reminded, two hours before, of where they are expected, and by whom."""

    end: datetime
    client: str
    phones: tuple[str, ...]
    article: str
    place: Place | None

    @classmethod
    async def about(cls, event: AppointmentReminderDue, tx: Tx) -> Self | str:
        state = event.state
        if event.which != "two_hours":
            return "a technician is reminded on the day"
        if event.unsettled:
            return UNSETTLED
        if state.intervention_id is None:
            return "its visit is still being planned"
        visit = await tx.view(InterventionView, state.intervention_id)
        return cls(
            reference=visit.called,
            start=state.start,
            end=state.end,
            zone=state.zone,
            technician_id=state.technician_id,
            appointment_id=state.id,
            client=(await client(tx, state.client_id)).name,
            phones=await phones_of(tx, state.client_id),
            article=await article_of(tx, visit),
            place=await place_of(tx, visit),
        )
