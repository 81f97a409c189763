"""Messages about visits that do not fit into the calendar: to managers, and to clients who choose another time."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.calendar.conflict import (
    AlsoInConflict,
    Alternative,
    ConflictBecameMoot,
    ConflictDetected,
    ConflictKind,
    ConflictResolved,
    ConflictView,
)
from sav_contracts.calendar.offer import OfferUnanswered, TimesOffered
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_notifier.calendar_entries import VisitEntry
from sav_notifier.cases import reference_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.visits import SETTLES
from sav_notifier.recipients import Recipient, client, managers, phones_of, technician_name
from sav_notifier.zones import HERE, zone_of

# More than people read in a mail.
MOST_NAMED = 20


class OtherTime(BaseModel):
    """When another technician could go."""

    model_config = ConfigDict(frozen=True)

    technician: str
    start: datetime
    end: datetime

    @classmethod
    async def of(cls, tx: Tx, free: Alternative) -> Self:
        return cls(technician=await technician_name(tx, free.technician_id), start=free.start, end=free.end)


@message(
    "visit_conflict",
    on={ConflictDetected: "report_conflict"},
    to=managers,
    category="alert",
)
class VisitDoesNotFit(Message):
    """Managers decide about a visit that does not fit into the calendar."""

    reference: str
    technician: str
    problem: ConflictKind
    start: datetime
    end: datetime
    proposals: list[Slot]
    zone: str = HERE
    no_time_yet: bool = False
    others: tuple[OtherTime, ...] = ()

    @classmethod
    async def about(cls, event: ConflictDetected, tx: Tx) -> Self | str:
        conflict = event.state
        if event.one_of_many or event.others:
            return "managers are told of all of them at once"
        return cls(
            reference=await reference_of(tx, conflict.reclamation_reference, conflict.intervention_id),
            technician=await technician_name(tx, conflict.technician_id),
            problem=conflict.problem,
            start=conflict.wanted.start,
            end=conflict.wanted.end,
            proposals=conflict.proposals,
            zone=await _zone(tx, conflict),
            no_time_yet=conflict.no_time_yet,
            others=tuple([await OtherTime.of(tx, one) for one in conflict.alternatives]),
        )

    def useful_until(self) -> datetime | None:
        # Somebody has to go, whatever time it is.
        return None if self.problem == "technician_left" else self.end

    def true_while(self, record: ConflictView) -> bool:
        return record.status == "open"


class OneVisit(BaseModel):
    """One of several visits that do not fit."""

    model_config = ConfigDict(frozen=True)

    reference: str
    start: datetime
    end: datetime

    @classmethod
    async def of(cls, tx: Tx, conflict: ConflictView | AlsoInConflict) -> Self:
        reference = await reference_of(tx, conflict.reclamation_reference, conflict.intervention_id)
        return cls(reference=reference, start=conflict.wanted.start, end=conflict.wanted.end)


@message(
    "visits_conflict",
    on={ConflictDetected: "report_conflicts"},
    since="2026-11-30",
    to=managers,
    category="alert",
)
class VisitsDoNotFit(Message):
    """Managers learn at once of several visits that do not fit for one cause."""

    technician: str
    problem: ConflictKind
    visits: tuple[OneVisit, ...]
    zone: str = HERE
    # How many there are beyond those that are named.
    more: int = 0

    @classmethod
    async def about(cls, event: ConflictDetected, tx: Tx) -> Self | str:
        conflict = event.state
        if not event.others:
            return "told with others, or alone"
        all_of_them: list[ConflictView | AlsoInConflict] = [conflict, *event.others]
        named = [await OneVisit.of(tx, one) for one in all_of_them[:MOST_NAMED]]
        return cls(
            technician=await technician_name(tx, conflict.technician_id),
            problem=conflict.problem,
            visits=tuple(sorted(named, key=lambda one: one.start)),
            zone=await _zone(tx, conflict),
            more=len(all_of_them) - len(named) + event.more,
        )

    def useful_until(self) -> datetime | None:
        return max(visit.end for visit in self.visits)


async def client_of_visit(event: Any, tx: Tx) -> list[Recipient]:
    """The client of the visit that a conflict is about."""
    return [await client(tx, (await _visit(tx, event.state)).client_id)]


@message("times_offered", on=TimesOffered, to=client_of_visit, category="appointment", link="times")
class ChooseAnotherTime(Message):
    """The client is asked which other time suits them, and gets a link to choose one. Times are those of arrival."""

    reference: str
    grant_id: Internal[UUID]
    expires_at: Internal[datetime]
    instead_of: Slot | None
    times: tuple[OtherTime, ...]
    zone: str

    @classmethod
    async def about(cls, event: TimesOffered, tx: Tx) -> Self:
        conflict, arrival = event.state, timedelta(minutes=event.arrival_minutes)
        wanted = conflict.wanted
        times = [await OtherTime.of(tx, one) for one in conflict.offered]
        return cls(
            reference=(await _visit(tx, conflict)).called,
            grant_id=event.grant_id,
            expires_at=event.expires_at,
            instead_of=None if conflict.no_time_yet else Slot(start=wanted.start, end=_end(wanted, arrival)),
            times=tuple(time.model_copy(update={"end": _end(time, arrival)}) for time in times),
            zone=await _zone(tx, conflict),
        )

    def useful_until(self) -> datetime:
        return self.expires_at

    def true_while(self, record: ConflictView) -> bool:
        return record.status == "open" and record.offered_until == self.expires_at


@message("offer_unanswered", on=OfferUnanswered, to=managers, category="alert")
class NoAnswer(Message):
    """Managers learn that a client has chosen none of the times that were offered: somebody decides, or calls them."""

    reference: str
    client: str
    phones: tuple[str, ...]
    technician: str
    offered_until: datetime
    # Whether they can still choose by their link.
    can_answer: bool
    zone: str

    @classmethod
    async def about(cls, event: OfferUnanswered, tx: Tx) -> Self:
        conflict = event.state
        assert conflict.offered_until, "times were offered"
        visit = await _visit(tx, conflict)
        return cls(
            reference=visit.called,
            client=(await client(tx, visit.client_id)).name,
            phones=await phones_of(tx, visit.client_id),
            technician=await technician_name(tx, conflict.technician_id),
            offered_until=conflict.offered_until,
            can_answer=conflict.offered_until > tx.happened_at,
            zone=await _zone(tx, conflict),
        )

    def true_while(self, record: ConflictView) -> bool:
        return record.status == "open" and record.offered_until == self.offered_until


@message(
    "appointment_stands",
    on={ConflictBecameMoot: "tell_that_time_stands", ConflictResolved: "tell_of_chosen_time"},
    since="2026-11-30",
    to=client_of_visit,
    category="appointment",
    link="visit",
    settles=SETTLES,
)
class TimeStands(Message):
    """A client who was asked to choose another time learns that theirs is kept, whoever decided so."""

    grant_id: Internal[UUID | None] = None
    entry: Internal[VisitEntry | None] = None
    reference: str
    appointment_id: Internal[UUID]
    technician: str
    arrival_from: datetime
    arrival_until: datetime
    zone: str
    technician_id: Internal[UUID | None] = None

    @classmethod
    async def about(cls, event: ConflictBecameMoot | ConflictResolved, tx: Tx) -> Self | str:
        conflict = event.state
        if not conflict.offered or conflict.appointment_id is None:
            return "its client was not asked"
        kept = await tx.view(AppointmentView, conflict.appointment_id)
        wanted = (conflict.technician_id, conflict.wanted)
        # The copy may be older than what a manager decided.
        decided = (
            (event.technician_id, event.slot)
            if isinstance(event, ConflictResolved) and event.technician_id
            else wanted
        )
        if not (kept.technician_id, Slot(start=kept.start, end=kept.end)) == wanted == decided:
            return "what is booked in its place is told"
        return cls(
            grant_id=kept.id,
            entry=VisitEntry.of(kept, for_client=True),
            reference=(await _visit(tx, conflict)).called,
            appointment_id=kept.id,
            technician=await technician_name(tx, kept.technician_id),
            technician_id=kept.technician_id,
            arrival_from=kept.arrival_from,
            arrival_until=kept.arrival_until,
            zone=kept.zone,
        )

    def useful_until(self) -> datetime:
        return self.arrival_until

    async def why_over(self, tx: Tx) -> str | None:
        kept = await tx.view(AppointmentView, self.appointment_id)
        same = self.technician_id in (None, kept.technician_id)
        if same and (kept.status, kept.arrival_from) == ("booked", self.arrival_from):
            return None
        return "overtaken: it has another time, or is over"


@message(
    "time_chosen",
    on={ConflictResolved: "tell_of_chosen_time"},
    since="2026-11-30",
    to=managers,
    category="reclamation",
)
class TimeWasChosen(Message):
    """Managers learn which time a client chose: nothing is left to decide."""

    reference: str
    technician: str
    start: datetime
    end: datetime
    zone: str

    @classmethod
    async def about(cls, event: ConflictResolved, tx: Tx) -> Self | str:
        conflict = event.state
        if not event.by_client or event.slot is None:
            return "a manager decided it"
        return cls(
            reference=(await _visit(tx, conflict)).called,
            technician=await technician_name(tx, event.technician_id or conflict.technician_id),
            start=event.slot.start,
            end=event.slot.end,
            zone=await _zone(tx, conflict),
        )

    def useful_until(self) -> datetime:
        return self.end


def _end(time: Slot | OtherTime, arrival: timedelta) -> datetime:
    """Until when the technician may arrive."""
    return min(time.start + arrival, time.end)


async def _visit(tx: Tx, conflict: ConflictView) -> InterventionView:
    assert conflict.intervention_id is not None, "what is offered or chosen is for a visit"
    return await tx.view(InterventionView, conflict.intervention_id)


async def _zone(tx: Tx, conflict: ConflictView) -> str:
    return await zone_of(
        tx,
        conflict.reclamation_id,
        conflict.technician_id,
        booked=False,
        visit_id=conflict.intervention_id,
    )
