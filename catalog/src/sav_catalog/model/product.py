"""Installed products, their proof of purchase and their covers."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.covers import until_replaced
from sav_catalog.lifecycle import PROOF
from sav_chassis.errors import Conflict, NoSuch
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import Family
from sav_contracts.catalog.product import MAX_COVERS, BuiltIn, Place, ProductView, ProofState
from sav_contracts.catalog.servicing import Built, next_service
from sav_contracts.catalog.warranty import Cover, CoveredRepair
from sav_contracts.files import StoredFile
from sav_contracts.labels import label

# What visits built in is kept in their reports; a unit shows so many of the newest.
MOST_BUILT_IN = 40
# Bytes of all covers of a product: its events are bounded, and later commands about it have texts, too.
LARGEST = 16_000


class Replaced(Conflict):
    """Another unit took the product's place."""

    code = "product_replaced"
    serial: str
    en = "The unit {serial} was replaced by another one"
    fr = "L’appareil {serial} a été remplacé par un autre"


class TooManyCovers(Conflict):
    """A product has as many covers as it may have."""

    code = "too_many_covers"
    most: int = MAX_COVERS
    en = "A product has at most {most} covers"
    fr = "Un produit a au plus {most} garanties"


class CoversTooLong(Conflict):
    """The texts of a product's covers are as long as they may be together."""

    code = "covers_too_long"
    en = "The covers of this product hold too much text: shorten it"
    fr = "Les garanties de ce produit contiennent trop de texte : raccourcissez-le"


class CoverVoided(Conflict):
    """The cover was voided before."""

    code = "cover_voided"
    en = "This cover was voided already"
    fr = "Cette garantie est déjà annulée"


class LegalGuaranteeStands(Conflict):
    """Nobody can take the legal guarantee of conformity from a consumer (Code de la consommation, L241-5)."""

    code = "legal_guarantee_stands"
    en = "The legal guarantee of conformity cannot be voided"
    fr = "La garantie légale de conformité ne peut pas être annulée"


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
    repairs: Mapped[list[CoveredRepair]] = mapped_column(JsonColumn(list[CoveredRepair]), default=[])
    sold_by: Mapped[str | None]
    consumer: Mapped[bool] = mapped_column(default=True)
    second_hand: Mapped[bool] = mapped_column(default=False)
    replaces_id: Mapped[UUID | None]
    guaranteed_from: Mapped[date | None]
    replaced_by_id: Mapped[UUID | None]
    replaced_on: Mapped[date | None]
    serviced_on: Mapped[date | None]
    next_service_due: Mapped[date | None]
    built_in: Mapped[list[BuiltIn]] = mapped_column(JsonColumn(list[BuiltIn]), default=[])

    @property
    def installed_on(self) -> date:
        """Since when it is in use, as far as is known."""
        return self.commissioning_date or self.delivery_date

    @property
    def down_since(self) -> date | None:
        return min((repair.asked for repair in self.repairs if repair.back is None), default=None)

    def submit(self, proof: StoredFile, by: Actor) -> None:
        """Sets the proof that waits for a manager, replacing any earlier one."""
        PROOF.check(self.proof_state, "submitted", by)
        self.proof_state, self.proof_reason = "submitted", None
        self.proof = proof

    def accept(self, covers: Iterable[Cover], reason: str | None, by: Actor) -> None:
        """A manager accepts the proof, or corrects what it shows; these covers follow, beside those that managers added.

        One that a manager voided stays so.
        """
        PROOF.check(self.proof_state, "accepted", by)
        self.proof_state, self.proof_reason = "accepted", reason
        added = [cover for cover in self.covers if cover.months is None and cover.from_manager]
        voided = {cover.same: cover for cover in self.covers if cover.voided_at and cover.months is not None}
        self._cover([*added, *(voided.get(cover.same, cover) for cover in covers)])

    def refuse(self, reason: str, by: Actor) -> None:
        """A manager refuses the proof; another one may be sent."""
        PROOF.check(self.proof_state, "refused", by)
        self.proof_state, self.proof_reason = "refused", reason

    def add_cover(self, cover: Cover) -> None:
        """Adds a cover; raises `TooManyCovers`, or `Replaced` where another unit took its place."""
        self.check_in_place()
        if len(self.covers) >= MAX_COVERS:
            raise TooManyCovers
        if sum(len(one.model_dump_json().encode()) for one in [*self.covers, cover]) > LARGEST:
            raise CoversTooLong
        self._cover([*self.covers, cover])

    def void_cover(self, id: UUID, reason: str, at: datetime) -> Cover:
        """Voids a cover and returns it; raises `NoSuch`, `CoverVoided` or `LegalGuaranteeStands`."""
        found = next((cover for cover in self.covers if cover.id == id), None)
        if found is None:
            raise NoSuch(kind=label("cover"), id=id)
        if found.voided_at:
            raise CoverVoided
        if found.kind == "legal_conformity":
            raise LegalGuaranteeStands
        voided = found.model_copy(update={"reason": reason, "voided_at": at})
        self._cover([voided if cover is found else cover for cover in self.covers])
        return voided

    def follow(self, repairs: Iterable[CoveredRepair]) -> bool:
        """Sets its repairs that covers paid; returns whether the end of a cover changed."""
        counted = until_replaced(repairs, self.replaced_on, self.repairs) if self.replaced_on else repairs
        self.repairs = sorted(counted, key=lambda repair: (repair.asked, str(repair.reclamation_id)))
        before = self.covers
        self._cover(before)
        return self.covers != before

    def covered_until(self) -> date | None:
        """The last day of the cover that lasts longest."""
        return max((cover.end for cover in self.covers if not cover.voided_at), default=None)

    def plan_service(self, article: Built, moment: datetime) -> None:
        """Sets until when its next service is due; none where another unit took its place."""
        today = self.place.day(moment)
        due = next_service(article, self.installed_on, self.serviced_on, today)
        self.next_service_due = None if self.replaced_by_id else due

    def build_in(self, built_in: Iterable[BuiltIn]) -> None:
        """Notes what a visit built in, once."""
        new = [one for one in built_in if one not in self.built_in]
        if new:
            self.built_in = [*self.built_in, *new][-MOST_BUILT_IN:]

    def check_in_place(self) -> None:
        """Raises `Replaced` where another unit took its place."""
        if self.replaced_by_id:
            raise Replaced(serial=self.serial)

    def _cover(self, covers: list[Cover]) -> None:
        self.covers = [cover.prolonged(self.purchase_date, self.repairs) for cover in covers]
