"""Installed products and their warranty."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from sav_contracts.address import Address, AddressGiven
from sav_contracts.catalog.article import Family
from sav_contracts.catalog.warranty import (
    Cover,
    CoveredRepair,
    CoverKind,
    Warranty,
    Why,
    legal_guarantee,
    months_after,
)
from sav_contracts.files import Paper, Sha256, StoredFile
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Query,
    Reason,
    RecordedReason,
    Serial,
    View,
)
from sav_contracts.money import Percent
from sav_contracts.time_zone import zone_of
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible, named_by_open_work
from sav_contracts.wrong_value import WrongValue

AddedKind = Literal["commercial", "manufacturer", "contract", "repair", "goodwill"]
ProofState = Literal["none", "submitted", "accepted", "refused"]
MAX_COVERS = 30


class Place(Address):
    """Where a product is installed, as recorded."""

    access_notes: Personal[RecordedReason] | None = Field(default=None, examples=["Code 42B, deuxième étage"])
    # Some work in a dwelling over two years old has a lower tax rate (Code général des impôts, art. 279-0 bis).
    dwelling_over_two_years: bool = False

    def day(self, moment: datetime) -> date:
        """The day there at this moment."""
        return moment.astimezone(ZoneInfo(zone_of(self.country, self.postcode))).date()


class PlaceGiven(AddressGiven, Place):
    """Where a product is installed, as a person enters it."""

    access_notes: Personal[Reason] | None = Field(default=None, examples=["Code 42B, deuxième étage"])


class BuiltIn(Message):
    """Something with a serial number that a visit built into a unit, and what it took the place of."""

    intervention_id: UUID
    on: date = Field(examples=["2026-03-05"])
    serial: str = Field(examples=["CIR-2291"])
    replaces: str | None = Field(default=None, examples=["CIR-0417"])
    # The reference of its article, where the catalogue has it.
    reference: str | None = Field(default=None, examples=["CIR-25-60"])


class ProductView(View):
    """An installed product, its proof of purchase and the covers that follow from it."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=named_by_open_work("product_id"))

    client_id: PersonId
    article_id: UUID
    article: str = Field(examples=["Chaudière murale Lumea 24"])
    family: Family = Field(examples=["heating"])
    serial: Annotated[str, ComparedAs(Serial)] = Field(examples=["LUM24-0007431"])
    place: Place
    purchase_date: date = Field(examples=["2025-09-10"])
    delivery_date: date = Field(examples=["2025-09-12"])
    commissioning_date: date | None = Field(examples=["2025-09-15"])
    proof: StoredFile | None
    proof_state: ProofState = Field(examples=["submitted"])
    proof_reason: str | None = Field(examples=["La date d'achat est illisible."])
    covers: list[Cover]
    # Who sold it, where that was somebody else.
    sold_by: str | None = Field(default=None, examples=["Brico Rhône"])
    # Whether its buyer is a consumer: to others no seller owes the legal guarantee.
    consumer: bool = True
    second_hand: bool = False
    repairs: list[CoveredRepair] = Field(
        default_factory=list,
        examples=[
            [
                {
                    "reclamation_id": "018e0000-0000-7000-8000-000000000001",
                    "asked": "2026-03-02",
                    "back": "2026-03-05",
                    "covers": ["legal_conformity"],
                }
            ]
        ],
    )
    # Since when a repair is waited for that covers pay.
    down_since: date | None = Field(default=None, examples=["2026-03-02"])
    # The units before and after it, and since when the one after it is there.
    replaces_id: UUID | None = None
    # From when the legal guarantee counts, where that is not from delivery: a unit that took another's place goes on with it.
    guaranteed_from: date | None = Field(default=None, examples=["2025-01-10"])
    replaced_by_id: UUID | None = None
    replaced_on: date | None = Field(default=None, examples=["2026-10-20"])
    # Our last service, and until when the law wants the next one; None where it wants none.
    serviced_on: date | None = Field(default=None, examples=["2026-03-05"])
    next_service_due: date | None = Field(default=None, examples=["2027-03-05"])
    # What visits built in, the newest last.
    built_in: list[BuiltIn] = Field(
        default_factory=list,
        examples=[
            [
                {
                    "intervention_id": "018e0000-0000-7000-8000-000000000002",
                    "on": "2026-03-05",
                    "serial": "CIR-2291",
                    "replaces": "CIR-0417",
                    "reference": "CIR-25-60",
                }
            ]
        ],
    )

    def for_client(self) -> "ProductView":
        """Without the reasons of covers, which managers gave for staff."""
        return self.model_copy(update={"covers": [cover.for_client() for cover in self.covers]})

    def warranty_at(self, reported: datetime) -> Warranty:
        """What is paid for a fault that is reported at this moment: on that day at the product's place.

        Faults are reported of units that are in place. So where another one took its place, also on the same day or a day
        that was told later, this fault was there before.
        """
        return self._by_covers(self.place.day(reported))

    def warranty(self, on: date) -> Warranty:
        """What is paid for a fault that is reported `on` this day at the product's place.

        Covers from a manager pay without a proof; what they leave is unknown until one is accepted. The shares of what
        is unknown are what is paid at least.
        """
        if self.replaced_on and self.replaced_on <= on:
            return Warranty(decision="not_covered", why="replaced")
        return self._by_covers(on)

    def _by_covers(self, on: date) -> Warranty:
        owed_by = self._other_seller(on)
        proven = self.proof_state == "accepted"
        applying = [
            cover
            for cover in self.covers
            if (proven or cover.from_manager) and cover.applies(on, self.repairs)
        ]
        answer = Warranty.of_covers(applying, owed_by=owed_by) if applying else None
        if answer and answer.decision == "covered":
            return answer
        if why := self._unknown(on, proven):
            # Without the covers: a repair under the legal guarantee has to be able to name it, once that is known.
            least = answer.model_dump(include={"parts", "labour", "travel"}) if answer else {}
            return Warranty(decision="unknown", why=why, owed_by=owed_by, **least)
        return answer or self._not_covered(on, owed_by)

    def _unknown(self, on: date, proven: bool) -> Why | None:
        """Why nobody knows yet all that is paid; None where it is known."""
        if not proven:
            return "proof_not_accepted"
        return "defect_to_be_proven" if self._must_be_proven(on) else None

    def _not_covered(self, on: date, owed_by: str | None) -> Warranty:
        if owed_by:
            return Warranty(decision="not_covered", why="sold_by_another", owed_by=owed_by)
        ended = max((cover.end for cover in self.covers if not cover.voided_at), default=None)
        if ended and on <= ended:
            return Warranty(decision="not_covered", why="no_cover_yet")
        return Warranty(decision="not_covered", why="covers_ended", until=ended)

    def _other_seller(self, on: date) -> str | None:
        """Another seller, as long as they owe the legal guarantee."""
        return self.sold_by if self.consumer and on <= self._legal_term() else None

    def _must_be_proven(self, on: date) -> bool:
        """Whether we answer for a defect if its consumer proves that it was there: second-hand, after some months."""
        ours = self.second_hand and self.consumer and self.sold_by is None
        return ours and self._legal_start() <= on <= self._legal_term()

    def _legal_start(self) -> date:
        return self.guaranteed_from or self.delivery_date

    def _legal_term(self) -> date:
        return months_after(self._legal_start(), legal_guarantee(self.purchase_date).months)


class RegisterProduct(Command[ProductView]):
    """Register an installed product. A client registers their own; a manager or admin names the client."""

    client_id: PersonId | None = None
    article_id: UUID
    serial: Serial
    place: PlaceGiven
    purchase_date: Day
    delivery_date: Day | None = None
    commissioning_date: Day | None = None
    proof: Paper | None = None
    # Who sold it, where that was somebody else; whether its buyer is a consumer; whether it was used before.
    sold_by: Line | None = Field(default=None, examples=["Brico Rhône"])
    consumer: bool = True
    second_hand: bool = False


class ChangeProduct(Command[ProductView]):
    """Change where a product is installed, or how to get there."""

    product_id: UUID
    place: PlaceGiven


class SendProof(Command[ProductView]):
    """Send a proof of purchase, or another one after the first was refused."""

    product_id: UUID
    proof: Paper


class VerifyProduct(Command[ProductView]):
    """Accept the proof of purchase with its dates, or refuse it with a reason. Accepting it again, with a reason, corrects it.

    `proof` is the SHA-256 of the file that was checked, since another one may have been sent meanwhile.
    """

    product_id: UUID
    proof: Sha256
    accepted: bool
    reason: Reason | None = Field(default=None, examples=["La date d'achat est illisible."])
    purchase_date: Day | None = None
    delivery_date: Day | None = None
    commissioning_date: Day | None = None
    # As the proof shows it; null: we sold it.
    sold_by: Line | None = Field(default=None, examples=["Brico Rhône"])
    consumer: bool | None = None
    second_hand: bool | None = None


class EndsBeforeItStarts(WrongValue):
    code = "ends_before_it_starts"
    field = "end"
    en = "end: a cover ends after it starts"
    fr = "end : une garantie se termine après son début"


class PaysNothing(WrongValue):
    code = "pays_nothing"
    field = "parts"
    en = "parts, labour, travel: a cover pays at least one of them"
    fr = "parts, labour, travel : une garantie prend en charge au moins l’un des trois"


class AddCover(Command[ProductView]):
    """Add a cover to a product: a contract, a manufacturer's warranty, goodwill. It needs no proof of purchase.

    It pays the given percent from its first to its last day.
    """

    product_id: UUID
    kind: AddedKind
    start: Day
    end: Day
    parts: Percent = 100
    labour: Percent = 100
    travel: Percent = 100
    exclusions: Reason | None = Field(default=None, examples=["Pièces d'usure"])
    reason: Reason = Field(examples=["Contrat d'entretien signé le 12 septembre."])

    @model_validator(mode="after")
    def _pays_for_a_while(self) -> "AddCover":
        if self.end < self.start:
            raise EndsBeforeItStarts().error()
        if not (self.parts or self.labour or self.travel):
            raise PaysNothing().error()
        return self


class VoidCover(Command[ProductView]):
    """Void a cover, with a reason. The legal guarantee cannot be voided. What it paid before stays paid."""

    product_id: UUID
    cover_id: UUID
    reason: Reason = Field(examples=["Contrat résilié le 6 mars."])


class ReplaceProduct(Command[ProductView]):
    """Register the unit that takes a product's place, and get that one.

    `imposed`: we chose to replace where the client could have had a repair; then two new years of the legal guarantee
    run from its delivery (Code de la consommation, L217-13). Otherwise the covers go on, suspended while the old unit
    was down.
    """

    product_id: UUID
    # Without one: the same article.
    article_id: UUID | None = None
    serial: Serial
    delivery_date: Day
    imposed: bool
    reason: Reason = Field(examples=["Corps de chauffe percé, pièce introuvable."])


class GetWarranty(Query[Warranty]):
    """Get the warranty of a product on a date (default: today)."""

    of: ClassVar[type[View] | None] = ProductView

    product_id: UUID
    on: Day | None = None


class ProductRegistered(Event[ProductView]):
    """A product was registered for a client."""

    client_sees: ClassVar[bool] = True


ProductChanged = Changed[ProductView]


class ProofSubmitted(Event[ProductView]):
    """A client or manager sent a proof of purchase, which waits for a manager's decision."""

    client_sees: ClassVar[bool] = True


class ProductVerified(Event[ProductView]):
    """A manager accepted or refused the proof of purchase. Accepting it sets the covers."""

    client_sees: ClassVar[bool] = True

    accepted: bool
    reason: str | None = Field(default=None, examples=["La date d'achat est illisible."])


class ReplacementUnclear(Event[ProductView]):
    """A visit says that this unit was replaced by the one with this serial number, which cannot be: a manager decides."""

    intervention_id: UUID
    new_serial: str = Field(examples=["LUM24-0009112"])
    why: Literal["serial_taken", "replaced_already"]


class WarrantyChanged(Event[ProductView]):
    """What the product's covers pay, or until when, changed. `until` is the last day of its longest cover then.

    `suspended`: the days without a unit that another one replaced.
    """

    client_sees: ClassVar[bool] = True

    cause: Literal["cover_added", "cover_voided", "repaired", "replaced", "suspended"]
    cover: CoverKind | None = None
    # The serial number of the unit that took its place.
    new_serial: str | None = Field(default=None, examples=["LUM24-0009112"])
    until: date | None = Field(default=None, examples=["2027-09-11"])
    reason: str | None = Field(default=None, examples=["Contrat d'entretien signé le 12 septembre."])

    def for_client(self) -> "WarrantyChanged":
        return self.model_copy(update={"reason": None})
