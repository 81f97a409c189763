"""Messages to clients, technicians and managers about visits."""

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.catalog.warranty import Why
from sav_contracts.claims.intake import PreferredTime
from sav_contracts.claims.reclamation import ProblemType, ReclamationView
from sav_contracts.interventions.new_visit import InterventionUnscheduled
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionView,
    Purpose,
    WarrantyDecided,
)
from sav_contracts.slot import Slot
from sav_notifier.cases import case_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.reclamations import signs
from sav_notifier.recipients import (
    client,
    in_their_place,
    its_client,
    its_technician,
    managers,
    phones_of,
    technician_name,
)
from sav_notifier.relevance import Window, knowledge, replaced, window
from sav_notifier.stopped import Stopped, stopped_before
from sav_notifier.zones import HERE, zone_of

# How long it takes, with time to spare, until all events that follow from a reassignment have arrived.
SETTLES = timedelta(seconds=10)
# How long after a technician set out that is still news.
STILL_ON_THE_WAY = timedelta(minutes=20)


class Visit(Message):
    """A visit as its technician reads it; `replaced` is the time that they expected before for the same réclamation."""

    reference: str
    article: str
    # None where the visit is for no réclamation; then `purpose` says what is to be done.
    problem_type: ProblemType | None
    purpose: Purpose = "repair"
    client: str
    place: Place | None
    signs: list[str]
    start: datetime | None
    end: datetime | None
    zone: str = HERE
    replaced: Window | None = None
    phones: tuple[str, ...] = ()
    stopped: Stopped | None = None

    @classmethod
    async def of(cls, tx: Tx, visit: InterventionView, slot: Slot | None) -> Self:
        reclamation = await tx.view(ReclamationView, visit.reclamation_id) if visit.reclamation_id else None
        product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
        start, end = (slot.start, slot.end) if slot else (None, None)
        before = await replaced(tx, visit.technician_id, visit.called, "visit", window(start, end))
        return cls(
            reference=visit.called,
            article=reclamation.article if reclamation else visit.article or "",
            problem_type=reclamation.problem_type if reclamation else None,
            purpose=visit.purpose,
            client=(await client(tx, visit.client_id)).name,
            # The product's may have been corrected since the réclamation was opened.
            place=product.place if product else visit.place or (reclamation.place if reclamation else None),
            signs=signs(reclamation.safety) if reclamation else [],
            start=start,
            end=end,
            zone=await zone_of(
                tx, visit.reclamation_id, visit.technician_id, booked=slot is not None, visit_id=visit.id
            ),
            replaced=before,
            phones=await phones_of(tx, visit.client_id),
            stopped=await stopped_before(tx, visit),
        )

    def useful_until(self) -> datetime | None:
        return self.end

    def true_while(self, record: InterventionView) -> bool:
        """Whether the visit is still to come, at the announced time where one was announced."""
        if record.status not in {"planned", "accepted"}:
            return False
        return not self.start or (record.slot is not None and record.slot.start == self.start)

    def says(self, about: UUID) -> dict[str, str]:
        return {"visit": window(self.start, self.end)}


async def knows_of(tx: Tx, visit: InterventionView) -> bool:
    """Whether its technician was told of the visit or is about to be."""
    known = await knowledge(tx, visit.technician_id, visit.called)
    return "visit" in known and known["visit"].record == visit.id


@message(
    "visit_planned",
    on={
        InterventionPlanned: "announce_visit",
        InterventionScheduled: "tell_technician_the_time",
    },
    to=its_technician,
    category="assignment",
)
class NewVisit(Visit):
    """The technician has a new visit: what, where and when. A visit with a time is announced once that is booked."""

    # When it would suit the client, where it has no time yet.
    preferred: tuple[PreferredTime, ...] = ()
    # Whether its technician planned it.
    by_yourself: bool = False

    @classmethod
    async def new(cls, tx: Tx, event: InterventionPlanned | InterventionScheduled) -> Self:
        visit, slot = event.state, event.slot
        new = await cls.of(tx, visit, slot)
        # What follows from another visit of theirs is news to them.
        by_hand = isinstance(event, InterventionScheduled) or event.by_hand
        if by_hand and tx.context.actor_id == visit.technician_id:
            new = new.model_copy(update={"by_yourself": True})
        if slot or visit.reclamation_id is None:
            return new
        reclamation = await tx.view(ReclamationView, visit.reclamation_id)
        return new.model_copy(update={"preferred": reclamation.preferred_times})

    @classmethod
    async def about(cls, event: InterventionPlanned | InterventionScheduled, tx: Tx) -> Self | str:
        card = await tx.copies(TechnicianView).one(event.state.technician_id)
        if card and not card.active:
            return "they take no visits at present"
        if isinstance(event, InterventionPlanned):
            return "its time is being put into the calendar" if event.slot else await cls.new(tx, event)
        if await knows_of(tx, event.state):
            return "they know of the visit"
        return await cls.new(tx, event)

    def says(self, about: UUID) -> dict[str, str]:
        return super().says(about) | {"to accept": str(about)}


@message(
    "visit_booked",
    on={InterventionScheduled: "tell_technician_the_time"},
    to=its_technician,
    category="appointment",
)
class TimeOfVisit(Visit):
    """The technician learns the time of a visit that they know of."""

    @classmethod
    async def about(cls, event: InterventionScheduled, tx: Tx) -> Self | str:
        return await cls.of(tx, event.state, event.slot) if await knows_of(tx, event.state) else "it is new"


@message(
    "visit_without_time",
    on={InterventionUnscheduled: "tell_technician_of_lost_time"},
    to=its_technician,
    category="appointment",
)
class TimeOff(Message):
    """The technician learns that a visit waits for another time, unless they called it off themselves."""

    reference: str
    start: datetime
    end: datetime
    zone: str = HERE

    @classmethod
    async def about(cls, event: InterventionUnscheduled, tx: Tx) -> Self | str:
        visit = event.state
        if tx.context.actor_id == visit.technician_id:
            return "they called it off themselves"
        if not await knows_of(tx, visit):
            return "they do not know of it"
        zone = await zone_of(tx, visit.reclamation_id, visit.technician_id, booked=False, visit_id=visit.id)
        return cls(reference=visit.called, start=event.before.start, end=event.before.end, zone=zone)

    def true_while(self, record: InterventionView) -> bool:
        return record.slot is None

    def says(self, about: UUID) -> dict[str, str]:
        return {"visit": window(None, None)}


@message(
    "visit_cancelled",
    on={InterventionMoved: "tell_of_move"},
    to=its_technician,
    category="assignment",
    settles=SETTLES,
    takes_back=True,
)
class VisitCancelled(Message):
    """The technician learns that a visit they know of is cancelled, or was declined for them by somebody else."""

    reference: str
    start: datetime | None
    end: datetime | None
    zone: str = HERE
    # Who declined it on their behalf.
    declined_by: str | None = None
    on_the_way: bool = False

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        declined_by = await in_their_place(tx, visit.technician_id) if event.after == "declined" else None
        cancelled = event.after == "cancelled" and tx.context.actor_id != visit.technician_id
        if not cancelled and declined_by is None:
            return "nothing that its technician does not know"
        return cls(
            reference=visit.called,
            declined_by=declined_by,
            on_the_way=event.before == "en_route",
            start=visit.slot.start if visit.slot else None,
            end=visit.slot.end if visit.slot else None,
            zone=await zone_of(
                tx, visit.reclamation_id, visit.technician_id, booked=False, visit_id=visit.id
            ),
        )


@message(
    "technician_on_the_way",
    on={InterventionMoved: "tell_of_move"},
    to=its_client,
    category="appointment",
    lasting=False,
)
class OnTheWay(Message):
    """The client learns that the technician is on the way."""

    reference: str
    technician: str

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.after != "en_route":
            return "nobody is on the way"
        if event.happened_at and tx.happened_at - event.happened_at > STILL_ON_THE_WAY:
            return "they set out a while ago, offline"
        return cls(reference=visit.called, technician=await technician_name(tx, visit.technician_id))

    def true_while(self, record: InterventionView) -> bool:
        return record.status == "en_route"


@message(
    "visit_declined",
    on={InterventionMoved: "tell_of_move"},
    to=managers,
    category="alert",
)
class VisitDeclined(Message):
    """Managers learn that a visit needs another technician."""

    reference: str
    technician: str
    reason: str | None
    # The manager who declined it on the technician's behalf.
    by: str | None = None

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.after != "declined":
            return "nobody declined"
        name = await technician_name(tx, visit.technician_id)
        by = await in_their_place(tx, visit.technician_id)
        return cls(reference=visit.called, technician=name, reason=event.reason, by=by)


@message(
    "warranty_to_decide",
    on={WarrantyDecided: "ask_for_warranty"},
    to=managers,
    category="reclamation",
)
class WarrantyToDecide(Message):
    """Managers are asked to decide about a warranty that is unknown; once, also where the visit goes to somebody else."""

    reference: str
    article: str
    why: Why | None
    # For how many visits of the case it had been decided. After a decision they are asked anew.
    decided: Internal[int] = 0

    @classmethod
    async def about(cls, event: WarrantyDecided, tx: Tx) -> Self | str:
        visit = event.state
        if event.decision != "unknown":
            return "it is decided"
        case = await case_of(tx, visit.reclamation_id, visit.id)
        why = visit.warranty.why if visit.warranty else None
        decided = await _decided(visit, tx)
        return cls(reference=case.reference, article=case.article, why=why, decided=decided)

    def true_while(self, record: InterventionView) -> bool:
        return record.warranty is None or record.warranty.decision == "unknown"

    def says(self, about: UUID) -> dict[str, str]:
        return {"warranty": f"{self.why}, after {self.decided} decisions"}


async def _decided(visit: InterventionView, tx: Tx) -> int:
    """For how many visits of its réclamation a warranty is decided."""
    if visit.reclamation_id is None:
        return 0
    visits = await tx.copies(InterventionView).where(reclamation_id=visit.reclamation_id).all()
    return sum(
        1 for one in visits if one.id != visit.id and one.warranty and one.warranty.decision != "unknown"
    )
