"""Messages to clients about their appointments."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissedByTechnician,
    AppointmentMoved,
    AppointmentView,
)
from sav_contracts.catalog.product import ProductView
from sav_contracts.interventions.visit import InterventionView, Purpose
from sav_notifier.calendar_entries import VisitEntry
from sav_notifier.cases import reference_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.outcomes import BY_ESTIMATE
from sav_notifier.messages.visits import SETTLES
from sav_notifier.recipients import its_client, managers, technician_name
from sav_notifier.relevance import Window, replaced, replaced_appointment, replaced_technician, window
from sav_notifier.staleness import known
from sav_notifier.standing import may_change


@message(
    "appointment_booked",
    on={AppointmentBooked: "confirm_appointment", AppointmentMoved: "confirm_moved_appointment"},
    to=its_client,
    category="appointment",
    link="visit",
)
class Appointment(Message):
    """The client learns when the technician arrives; `replaced` is the time that they expected before."""

    grant_id: Internal[UUID | None] = None
    entry: Internal[VisitEntry | None] = None
    entry_before: Internal[VisitEntry | None] = None

    reference: str
    intervention_id: Internal[UUID | None]
    technician: str
    technician_id: Internal[UUID | None] = None
    start: Internal[datetime]
    end: Internal[datetime]
    arrival_from: datetime
    arrival_until: datetime
    zone: str
    replaced: Window | None = None
    # Who was expected before, where that was somebody else.
    instead_of: str | None = None
    # What a visit for no réclamation is about: a réclamation is known to its client by its reference.
    purpose: Purpose | None = None
    article: str | None = None
    place: str | None = None
    # Why somebody else moved it.
    reason: str | None = None
    # Whether its client chose this time: they know of it, read or not.
    own: Internal[bool] = False
    # Whether its client may still move or cancel it by the link.
    may_change: bool = True

    @classmethod
    async def about(cls, event: AppointmentBooked | AppointmentMoved, tx: Tx) -> Self:
        state = event.state
        reference = await reference_of(tx, state.reclamation_reference, state.intervention_id)
        arrival = window(state.arrival_from, state.arrival_until)
        before = await replaced(tx, state.client_id, reference, "arrival", arrival)
        other = await replaced_technician(tx, state.client_id, reference, state.technician_id)
        gone = await replaced_appointment(tx, state.client_id, reference, state)
        return cls(
            grant_id=state.id,
            entry=VisitEntry.of(state, for_client=True),
            entry_before=VisitEntry.of(gone, for_client=True, cancelled=True) if gone else None,
            reference=reference,
            intervention_id=state.intervention_id,
            technician=await technician_name(tx, state.technician_id),
            technician_id=state.technician_id,
            start=state.start,
            end=state.end,
            arrival_from=state.arrival_from,
            arrival_until=state.arrival_until,
            zone=state.zone,
            replaced=before,
            instead_of=await technician_name(tx, other) if other else None,
            reason=_why(event) if isinstance(event, AppointmentMoved) else None,
            own=tx.context.actor_id == state.client_id or getattr(event, "by_client", False),
            **await _of_visit(tx, state),
        )

    def useful_until(self) -> datetime:
        return self.end

    def true_while(self, record: AppointmentView) -> bool:
        return record.status == "booked" and record.start == self.start

    async def why_over(self, tx: Tx) -> str | None:
        visit = await known(tx, InterventionView, self.intervention_id) if self.intervention_id else None
        over = visit and visit.status in {"cancelled", "declined"}
        return f"overtaken: the visit was {visit.status}" if visit and over else None

    async def as_of_now(self, tx: Tx) -> Self:
        return self.model_copy(update={"may_change": await may_change(tx, self.start, self.intervention_id)})

    def says(self, about: UUID) -> dict[str, str]:
        arrival = window(self.arrival_from, self.arrival_until)
        if self.technician_id is None:
            return {"arrival": arrival}
        # Only this message says both: somebody else at the same time is news, with another link and calendar entry.
        return {
            "technician": str(self.technician_id),
            "arrival": arrival,
            "comes": f"{self.technician_id} {arrival}",
        }


def _why(event: AppointmentMoved | AppointmentCancelled) -> str | None:
    """Why somebody moved or cancelled it, where its client did not."""
    return None if event.by_client else event.state.reason


async def _of_visit(tx: Tx, appointment: AppointmentView) -> dict[str, Any]:
    """What a visit for no réclamation is about, and where."""
    if appointment.reclamation_reference or appointment.intervention_id is None:
        return {}
    visit = await tx.view(InterventionView, appointment.intervention_id)
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    place = product.place if product else visit.place
    return {
        "purpose": visit.purpose,
        "article": visit.article,
        "place": place.on_one_line if place else None,
    }


@message(
    "appointment_cancelled",
    on={AppointmentCancelled: "tell_of_cancelled_appointment"},
    to=its_client,
    category="appointment",
    settles=SETTLES,
    takes_back=True,
)
class AppointmentOff(Message):
    """The client learns that an appointment they know of is cancelled."""

    entry: Internal[VisitEntry | None] = None
    reference: str
    arrival_from: datetime
    arrival_until: datetime
    zone: str
    # Whether another time may be set: none is after a visit for no réclamation was cancelled.
    another_follows: bool = True
    # Who comes instead, where a visit for no réclamation was given to somebody else.
    technician: str | None = None
    # Who was on the way already.
    turns_back: str | None = None
    # Whether its client called it off; else why somebody did.
    by_yourself: bool = False
    reason: str | None = None

    @classmethod
    async def about(cls, event: AppointmentCancelled, tx: Tx) -> Self | str:
        state = event.state
        visit = await known(tx, InterventionView, state.intervention_id) if state.intervention_id else None
        if visit and visit.status == "cancelled" and visit.reason in BY_ESTIMATE:
            return "the message about the estimate says so"
        other = await _given_to(tx, visit) if visit else None
        reference = await reference_of(tx, state.reclamation_reference, state.intervention_id)
        # Another one of that technician at that time was no news, so their calendar still has the first.
        first = await replaced_appointment(tx, state.client_id, reference, state)
        theirs = first if first and first.status == "cancelled" else state
        off = visit is not None and visit.reclamation_id is None and visit.status == "cancelled"
        return cls(
            entry=VisitEntry.of(theirs, for_client=True, cancelled=True),
            another_follows=not off or other is not None,
            technician=await technician_name(tx, other.technician_id) if other else None,
            turns_back=await technician_name(tx, state.technician_id) if was_on_the_way(visit) else None,
            reference=reference,
            arrival_from=state.arrival_from,
            arrival_until=state.arrival_until,
            zone=state.zone,
            by_yourself=event.by_client,
            reason=_why(event) if event.called_off else None,
        )


@message(
    "appointment_called_off",
    on={AppointmentCancelled: "tell_of_cancelled_appointment"},
    to=managers,
    category="alert",
)
class CalledOff(Message):
    """Managers learn that a visit needs another time: its client or its technician called it off."""

    reference: str
    intervention_id: Internal[UUID | None]
    technician: str
    start: datetime
    end: datetime
    zone: str
    by_client: bool
    reason: str | None

    @classmethod
    async def about(cls, event: AppointmentCancelled, tx: Tx) -> Self | str:
        state = event.state
        if not event.called_off or tx.context.actor_role in MANAGERS:
            return "it waits for no time, or a manager called it off"
        return cls(
            reference=await reference_of(tx, state.reclamation_reference, state.intervention_id),
            intervention_id=state.intervention_id,
            technician=await technician_name(tx, state.technician_id),
            start=state.start,
            end=state.end,
            zone=state.zone,
            by_client=event.by_client,
            reason=state.reason,
        )

    async def why_over(self, tx: Tx) -> str | None:
        visit = await known(tx, InterventionView, self.intervention_id) if self.intervention_id else None
        if visit is None:
            return None
        again = visit.slot is not None and visit.slot.start != self.start
        return "overtaken: it has another time, or is over" if again or not visit.is_open() else None


@message(
    "technician_no_show",
    on=AppointmentMissedByTechnician,
    to=its_client,
    category="appointment",
    takes_back=True,
)
class NobodyCame(Message):
    """The client reads an apology for a technician who did not come, and when another visit is possible."""

    reference: str
    arrival_from: datetime
    arrival_until: datetime
    zone: str
    proposals: tuple[datetime, ...] = ()

    @classmethod
    async def about(cls, event: AppointmentMissedByTechnician, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=await reference_of(tx, state.reclamation_reference, state.intervention_id),
            arrival_from=state.arrival_from,
            arrival_until=state.arrival_until,
            zone=state.zone,
            proposals=tuple(slot.start for slot in event.proposals),
        )


def was_on_the_way(visit: InterventionView | None) -> bool:
    """Whether a visit that is off, or that its copy does not know to be off yet, was under way."""
    if visit is None:
        return False
    before = (
        visit.acts[-2].to if visit.status in ("cancelled", "declined") and visit.acts[1:] else visit.status
    )
    return before == "en_route"


async def _given_to(tx: Tx, visit: InterventionView) -> InterventionView | None:
    """The visit that took the place of one for no réclamation which was given to somebody else, if it still stands.

    `NotYet` before the copy of it: both come of one transaction.
    """
    if visit.reclamation_id or visit.status != "cancelled" or visit.reason != "reassigned":
        return None
    same = await tx.copies(InterventionView).where(reference=visit.called).all()
    later = [one for one in same if one.id != visit.id and one.created_at > visit.created_at]
    if not later:
        raise NotYet(InterventionView.kind(), visit.id)
    return next((one for one in later if one.is_open()), None)
