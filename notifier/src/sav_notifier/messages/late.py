"""Messages to clients and managers about visits that are late, and calls for help."""

from datetime import datetime, timedelta
from typing import Self

from sav_chassis.tx import Tx
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.interventions.help import HelpRequested
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.slot import Slot
from sav_notifier.cases import article_of
from sav_notifier.message import Message, message
from sav_notifier.recipients import client, its_client, managers, phones_of, technician_name
from sav_notifier.zones import HERE, zone_of

# How long after the end of its slot somebody still learns that a visit is late: later they know.
NEWS_FOR_CLIENT, NEWS_FOR_MANAGERS = timedelta(days=1), timedelta(days=7)


class Lateness(Message):
    """A visit that should be over and has not begun."""

    reference: str
    technician: str
    start: datetime
    end: datetime
    zone: str = HERE

    @classmethod
    async def of(cls, tx: Tx, visit: InterventionView, slot: Slot, **more: object) -> Self:
        return cls.model_validate(
            {
                "reference": visit.called,
                "technician": await technician_name(tx, visit.technician_id),
                "start": slot.start,
                "end": slot.end,
                "zone": await zone_of(
                    tx, visit.reclamation_id, visit.technician_id, booked=False, visit_id=visit.id
                ),
            }
            | more
        )

    def true_while(self, record: InterventionView) -> bool:
        return record.overdue


@message("visit_late", on={InterventionOverdue: "tell_of_lateness"}, to=its_client, category="appointment")
class LateForClient(Lateness):
    """The client learns that a visit is late."""

    @classmethod
    async def about(cls, event: InterventionOverdue, tx: Tx) -> Self | str:
        visit = event.state
        return await cls.of(tx, visit, visit.slot) if visit.slot else "it has no time"

    def useful_until(self) -> datetime:
        return self.end + NEWS_FOR_CLIENT


@message("visit_overdue", on={InterventionOverdue: "tell_of_lateness"}, to=managers, category="alert")
class LateForManagers(Lateness):
    """Managers learn which visit is late, how far it has come, and how to reach its client."""

    client: str
    phones: tuple[str, ...]
    article: str
    status: InterventionStatus

    @classmethod
    async def about(cls, event: InterventionOverdue, tx: Tx) -> Self | str:
        visit = event.state
        if visit.slot is None:
            return "it has no time"
        return await cls.of(
            tx,
            visit,
            visit.slot,
            client=(await client(tx, visit.client_id)).name,
            phones=await phones_of(tx, visit.client_id),
            article=await article_of(tx, visit),
            status=visit.status,
        )

    def useful_until(self) -> datetime:
        return self.end + NEWS_FOR_MANAGERS


@message("help_asked", on={HelpRequested: "call_for_help"}, to=managers, category="alert")
class HelpAsked(Message):
    """Managers learn at once that a technician needs help: who, where, and with what."""

    reference: str
    technician: str
    phone: str | None
    client: str
    article: str
    place: Place | None
    text: str

    @classmethod
    async def about(cls, event: HelpRequested, tx: Tx) -> Self:
        visit = event.state
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            phone=(await tx.view(AccountView, visit.technician_id)).phone,
            client=(await client(tx, visit.client_id)).name,
            article=await article_of(tx, visit),
            place=await place_of(tx, visit),
            text=event.text,
        )

    def true_while(self, record: InterventionView) -> bool:
        return record.is_open()


async def place_of(tx: Tx, visit: InterventionView) -> Place | None:
    """Where it is; that of a product may have been corrected since it was planned."""
    if visit.product_id:
        return (await tx.view(ProductView, visit.product_id)).place
    return visit.place
