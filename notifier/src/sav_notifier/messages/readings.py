"""Messages about what was measured on a visit, attestations of services, and units that a visit replaced."""

from datetime import date
from typing import Literal, Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.catalog.product import Place, ProductView, ReplacementUnclear
from sav_contracts.catalog.servicing import AirQuality, air_quality
from sav_contracts.interventions.attestation import (
    AttestationMade,
    AttestationReminderDue,
    AttestationView,
)
from sav_contracts.interventions.visit import CarbonMonoxideFound, InterventionView
from sav_notifier.cases import article_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import (
    Recipient,
    client,
    its_client,
    managers,
    managers_and_admins,
    phones_of,
    technician,
    technician_name,
)


@message(
    "co_dangerous",
    on={CarbonMonoxideFound: "tell_of_carbon_monoxide"},
    to=managers_and_admins,
    category="alert",
    lasting=True,
    once=True,
)
class DangerousAir(Message):
    """Managers and admins learn at once that an appliance was stopped, where, and whom to call.

    It was measured, so that stays true: what is measured afterwards takes nothing back. Of several in one batch they
    learn the one that stands, or where none does, the first.
    """

    reference: str
    article: str
    client: str
    technician: str
    ppm: int
    place: Place | None
    phones: tuple[str, ...] = ()

    @classmethod
    async def about(cls, event: CarbonMonoxideFound, tx: Tx) -> Self | str:
        visit = event.state
        if event.air != "dangerous":
            return "it is no danger"
        product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
        return cls(
            reference=visit.called,
            article=await article_of(tx, visit),
            client=(await client(tx, visit.client_id)).name,
            technician=await technician_name(tx, visit.technician_id),
            ppm=_standing(event, "dangerous"),
            place=product.place if product else visit.place,
            phones=await phones_of(tx, visit.client_id),
        )


def _standing(event: CarbonMonoxideFound, *airs: AirQuality) -> int:
    """The last reading of the batch, where it is one of these, otherwise the event's own."""
    last = event.state.work.co_ppm if event.state.work else None
    return last if last is not None and _air(last, event.state) in airs else event.ppm


def _air(ppm: int, visit: InterventionView) -> AirQuality:
    return air_quality(ppm, visit.updated_at.date())


@message(
    "co_found",
    on={CarbonMonoxideFound: "tell_of_carbon_monoxide"},
    to=its_client,
    category="alert",
    once=True,
)
class AirToLookInto(Message):
    """The client learns what was measured and what must be looked into; where it is a danger, what to do."""

    reference: str
    article: str
    ppm: int
    air: AirQuality

    @classmethod
    async def about(cls, event: CarbonMonoxideFound, tx: Tx) -> Self:
        visit = event.state
        ppm = _standing(event, "abnormal", "dangerous")
        return cls(
            reference=visit.called,
            article=await article_of(tx, visit),
            ppm=ppm,
            air=event.air if ppm == event.ppm else _air(ppm, visit),
        )

    def true_while(self, record: InterventionView) -> bool:
        later = record.work.co_ppm if record.work else None
        return later is None or _air(later, record) != "normal"


async def serviced_client(event: AttestationMade, tx: Tx) -> list[Recipient]:
    visit = await tx.view(InterventionView, event.state.intervention_id)
    return [await client(tx, visit.client_id)]


@message(
    "attestation_available",
    on={AttestationMade: "announce_attestation"},
    to=serviced_client,
    category="reclamation",
    link="paper",
)
class AttestationAvailable(Message):
    """The client may read the attestation, by a link, and learns when the next service is due."""

    # The attestation's own id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    article: str
    serviced_on: date
    next_due: date | None
    recommendation: str | None

    @classmethod
    async def about(cls, event: AttestationMade, tx: Tx) -> Self | str:
        said = event.state.attested
        if said is None:
            return "nothing stands on it"
        return cls(
            grant_id=event.state.id,
            article=said.article,
            serviced_on=event.state.serviced_on,
            next_due=said.next_service_due,
            recommendation=said.advice,
        )


async def who_makes_it(event: AttestationReminderDue, tx: Tx) -> list[Recipient]:
    """The technician of the visit, and managers, who validate its report."""
    visit = await tx.view(InterventionView, event.state.intervention_id)
    return [await technician(tx, visit.technician_id), *await managers(event, tx)]


@message(
    "attestation_to_make",
    on={AttestationReminderDue: "remind_of_attestation"},
    to=who_makes_it,
    category="assignment",
)
class AttestationToMake(Message):
    """The technician and managers are reminded that a report, and with it an attestation, is still to be made."""

    client: str
    article: str
    technician: str
    serviced_on: date
    due: date
    overdue: bool

    @classmethod
    async def about(cls, event: AttestationReminderDue, tx: Tx) -> Self:
        attestation = event.state
        visit = await tx.view(InterventionView, attestation.intervention_id)
        return cls(
            client=(await client(tx, visit.client_id)).name,
            article=(await tx.view(ProductView, attestation.product_id)).article,
            technician=await technician_name(tx, visit.technician_id),
            serviced_on=attestation.serviced_on,
            due=attestation.due_on,
            overdue=event.overdue,
        )

    def true_while(self, record: AttestationView) -> bool:
        return record.status == "due"


@message(
    "replacement_unclear",
    on={ReplacementUnclear: "ask_about_replacement"},
    to=managers,
    category="reclamation",
)
class ReplacementToSettle(Message):
    """Managers decide about a unit that a visit says it replaced."""

    client: str
    article: str
    serial: str
    new_serial: str
    why: Literal["serial_taken", "replaced_already"]

    @classmethod
    async def about(cls, event: ReplacementUnclear, tx: Tx) -> Self:
        product = event.state
        return cls(
            client=(await client(tx, product.client_id)).name,
            article=product.article,
            serial=product.serial,
            new_serial=event.new_serial,
            why=event.why,
        )
