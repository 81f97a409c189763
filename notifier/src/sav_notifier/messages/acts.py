"""Messages to managers about what technicians did offline."""

from datetime import datetime
from typing import Self

from sav_chassis.tx import Tx
from sav_contracts.interventions.act import ActsRefused
from sav_contracts.time_zone import zone_of
from sav_notifier.message import Message, message
from sav_notifier.recipients import managers, technician_name
from sav_notifier.zones import HERE


@message("acts_refused", on=ActsRefused, to=managers, category="alert")
class ActsTooLate(Message):
    """Managers learn that SAV could not record what a technician did offline: the visit is not as they left it."""

    reference: str
    technician: str
    number: int
    first: datetime
    zone: str
    # Why, in the codes of the refusals: each once, in the order in which they came.
    causes: tuple[str, ...] = ()

    @classmethod
    async def about(cls, event: ActsRefused, tx: Tx) -> Self:
        visit = event.state
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            number=event.number,
            first=event.acts[0].at,
            causes=tuple(dict.fromkeys(act.code for act in event.acts)),
            zone=zone_of(visit.place.country, visit.place.postcode) if visit.place else HERE,
        )
