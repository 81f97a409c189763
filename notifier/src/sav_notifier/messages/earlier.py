"""Messages to clients who wait for an earlier visit."""

from datetime import datetime
from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.calendar.waiting import EarlierVisitOffered, EarlierVisitTakenBack, EarlierVisitView
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import its_client, technician_name
from sav_notifier.staleness import known
from sav_notifier.standing import is_final, may_change


@message("earlier_offered", on=EarlierVisitOffered, to=its_client, category="appointment", link="visit")
class EarlierOffered(Message):
    """The client learns of an earlier time, and until when it is held for them; the page of their visit offers it too."""

    grant_id: Internal[UUID | None] = None
    reference: str
    offer_id: Internal[UUID]
    technician: str
    arrival_from: datetime
    arrival_until: datetime
    offered_until: datetime
    zone: str
    # Whether they may still move their visit to it, and whether they could not move or cancel it any more after that.
    may_change: bool = True
    final: bool = False

    @classmethod
    async def about(cls, event: EarlierVisitOffered, tx: Tx) -> Self:
        state = event.state
        assert state.offer_id
        assert state.offered_until
        its_visits = tx.copies(AppointmentView).where(reclamation_id=state.reclamation_id, status="booked")
        booked = await its_visits.newest()
        return cls(
            grant_id=booked.id if booked else None,
            reference=state.reclamation_reference,
            offer_id=state.offer_id,
            technician=await technician_name(tx, event.technician_id),
            arrival_from=event.arrival_from,
            arrival_until=event.arrival_until,
            offered_until=state.offered_until,
            zone=state.zone,
        )

    def useful_until(self) -> datetime:
        return self.offered_until

    def true_while(self, record: EarlierVisitView) -> bool:
        return record.offer_id == self.offer_id

    async def as_of_now(self, tx: Tx) -> Self:
        booked = await known(tx, AppointmentView, self.grant_id) if self.grant_id else None
        changes = booked is None or await may_change(tx, booked.start, booked.intervention_id)
        return self.model_copy(update={"may_change": changes, "final": await is_final(tx, self.arrival_from)})

    def says(self, about: UUID) -> dict[str, str]:
        return {f"earlier time {self.offer_id}": "offered"}


@message(
    "earlier_taken_back",
    on=EarlierVisitTakenBack,
    to=its_client,
    category="appointment",
    takes_back=True,
)
class EarlierTakenBack(Message):
    """The client learns that an earlier time which they were told of is not held for them any more."""

    reference: str
    arrival_from: datetime
    arrival_until: datetime
    zone: str

    @classmethod
    async def about(cls, event: EarlierVisitTakenBack, tx: Tx) -> Self:
        return cls(
            reference=event.state.reclamation_reference,
            arrival_from=event.arrival_from,
            arrival_until=event.arrival_until,
            zone=event.state.zone,
        )

    def useful_until(self) -> datetime:
        return self.arrival_until
