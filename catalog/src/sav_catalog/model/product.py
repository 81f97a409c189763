"""Installed products and their proof of purchase."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.lifecycle import PROOF
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import Family
from sav_contracts.catalog.product import Cover, Place, ProductView, ProofState
from sav_contracts.files import StoredFile


class Product(Aggregate[ProductView]):
    """An article installed at a client's, with its proof of purchase and its covers."""

    __tablename__ = "product"

    client_id: Mapped[UUID]
    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"))
    article: Mapped[str]
    family: Mapped[Family]
    serial: Mapped[str]
    place: Mapped[Place] = mapped_column(JsonColumn(Place))
    purchase_date: Mapped[date]
    delivery_date: Mapped[date]
    commissioning_date: Mapped[date | None]
    proof: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    proof_state: Mapped[ProofState]
    proof_reason: Mapped[str | None]
    covers: Mapped[list[Cover]] = mapped_column(JsonColumn(list[Cover]))

    def submit(self, proof: StoredFile, by: Actor) -> None:
        """Sets the proof that waits for a manager, replacing any earlier one."""
        PROOF.check(self.proof_state, "submitted", by)
        self.proof_state, self.proof_reason = "submitted", None
        self.proof = proof

    def accept(self, covers: list[Cover], reason: str | None, by: Actor) -> None:
        """A manager accepts the proof; these covers follow from it."""
        PROOF.check(self.proof_state, "accepted", by)
        self.proof_state, self.proof_reason = "accepted", reason
        self.covers = covers

    def refuse(self, reason: str, by: Actor) -> None:
        """A manager refuses the proof; another one may be sent."""
        PROOF.check(self.proof_state, "refused", by)
        self.proof_state, self.proof_reason = "refused", reason
