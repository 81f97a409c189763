"""Messages to managers about visits that do not fit into the calendar."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from sav_chassis.tx import Tx
from sav_contracts.calendar import Alternative, ConflictDetected, ConflictKind, ConflictView
from sav_contracts.slot import Slot
from sav_notifier.cases import reference_of
from sav_notifier.message import Message, message
from sav_notifier.recipients import managers, technician_name
from sav_notifier.zones import HERE, zone_of


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
        if event.one_of_many:
            return "managers are told of all of them at once: technician_left"
        return cls(
            reference=await reference_of(tx, conflict.reclamation_reference, conflict.intervention_id),
            technician=await technician_name(tx, conflict.technician_id),
            problem=conflict.problem,
            start=conflict.wanted.start,
            end=conflict.wanted.end,
            proposals=conflict.proposals,
            zone=await zone_of(
                tx,
                conflict.reclamation_id,
                conflict.technician_id,
                booked=False,
                visit_id=conflict.intervention_id,
            ),
            no_time_yet=conflict.no_time_yet,
            others=tuple([await OtherTime.of(tx, one) for one in conflict.alternatives]),
        )

    def useful_until(self) -> datetime | None:
        # Somebody has to go, whatever time it is.
        return None if self.problem == "technician_left" else self.end

    def true_while(self, record: ConflictView) -> bool:
        return record.status == "open"
