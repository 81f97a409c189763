"""Attestations of services, which the law wants for boilers and heat pumps."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.catalog.article import Fuel
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.servicing import ApplianceKind
from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import Seller
from sav_contracts.interventions.task import CoNotMeasured, Task
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Changed, Event, Message, Personal, View
from sav_contracts.visibility import Visible

AttestationStatus = Literal["due", "made"]


class Attested(Message):
    """What stands on an attestation: the appliance, what was done and measured, by whom, for whom, and what follows."""

    kind: ApplianceKind
    article: str = Field(examples=["Chaudière murale Lumea 24"])
    brand: str = Field(examples=["Lumea"])
    model: str | None = Field(examples=["24 C"])
    serial: str = Field(examples=["LUM24-0007431"])
    fuel: Fuel | None
    power_kw: Decimal | None = Field(examples=["24.00"])
    commissioned_on: date | None = Field(examples=["2025-09-15"])
    client: Personal[str] = Field(examples=["Léa Bernard"])
    place: Place
    technician: Personal[str] = Field(examples=["Karim Haddad"])
    firm: Seller
    tasks: list[Task]
    co_ppm: int | None = Field(examples=[3])
    co_not_measured: CoNotMeasured | None = None
    # Free measurements, by name.
    readings: dict[str, str] = Field(examples=[{"Rendement": "94 %"}])
    advice: str | None = Field(examples=["Entretien annuel avant l'hiver."])
    next_service_due: date | None = Field(examples=["2027-03-05"])
    reference: str = Field(examples=["Arrêté du 15 septembre 2009"])
    # The reference of the visit, or of its réclamation. Empty in old ones.
    visit: str | None = Field(default=None, examples=["REC-2026-000042"])


class AttestationView(View):
    """The attestation of a service: due within days of the visit, made once its report is validated."""

    visible: ClassVar[Visible] = Visible.with_each(InterventionView)

    intervention_id: UUID
    product_id: UUID
    reclamation_id: UUID | None
    serviced_on: date = Field(examples=["2026-03-05"])
    due_on: date = Field(examples=["2026-03-20"])
    status: AttestationStatus
    attested: Attested | None = None
    document: StoredFile | None = None
    made_at: datetime | None = Field(default=None, examples=["2026-03-06T08:30:00Z"])

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "AttestationView | None":
        return self if self.document else None

    def is_open(self) -> bool:
        return self.status == "due"

    def timeline_roots(self) -> frozenset[UUID]:
        reclamation = {self.reclamation_id} if self.reclamation_id else set[UUID]()
        return frozenset({self.intervention_id, self.product_id} | reclamation)


class AttestationRequired(Event[AttestationView]):
    """A service was completed that has to be attested by `due_on`."""


class AttestationReminderDue(Event[AttestationView]):
    """An attestation is still to be made; `overdue` where its last day is over."""

    overdue: bool = False


AttestationChanged = Changed[AttestationView]


class AttestationMade(Event[AttestationView]):
    """The attestation of a service is there. Its client can read it."""

    client_sees: ClassVar[bool] = True
