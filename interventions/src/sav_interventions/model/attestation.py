"""Attestations of services."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import SYSTEM
from sav_contracts.files import StoredFile
from sav_contracts.interventions.attestation import AttestationStatus, AttestationView, Attested
from sav_interventions.lifecycle import ATTESTATION


class Attestation(Aggregate[AttestationView], Stateful[AttestationStatus]):
    """The attestation of one service; what it says never changes once it is written."""

    __tablename__ = "attestation"
    lifecycle = ATTESTATION

    intervention_id: Mapped[UUID]
    product_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None]
    serviced_on: Mapped[date]
    due_on: Mapped[date]
    status: Mapped[AttestationStatus]
    attested: Mapped[Attested | None] = mapped_column(JsonColumn(Attested))
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    made_at: Mapped[datetime | None]

    def print_as(self, document: StoredFile, at: datetime) -> None:
        """Its paper is there."""
        self.move("made", SYSTEM)
        self.document, self.made_at = document, at
