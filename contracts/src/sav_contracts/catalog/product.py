"""Installed products and their warranty."""

from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.address import Address, AddressGiven
from sav_contracts.catalog.article import Family
from sav_contracts.files import Paper, Sha256, StoredFile
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
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
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible, named_by_open_work

ProofState = Literal["none", "submitted", "accepted", "refused"]
CoverKind = Literal["legal_conformity", "commercial", "manufacturer", "contract", "repair"]
Coverage = Literal["covered", "partly", "not_covered", "unknown"]
# The reason for a warranty decision, which messages and pages show in the reader's language.
Why = Literal[
    "no_product", "proof_not_accepted", "cover_applies", "no_cover_yet", "covers_ended", "decided_by_manager"
]

# The legal conformity of goods lasts two years from delivery (Code de la consommation, L217-3).
LEGAL_CONFORMITY_MONTHS = 24
# The version of the rules in `ProductView.warranty`; it changes with them.
WARRANTY_RULES = "2026.1"


def months_after(start: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class Place(Address):
    """Where a product is installed, as recorded."""

    access_notes: Personal[RecordedReason] | None = Field(default=None, examples=["Code 42B, deuxième étage"])
    # Some work in a dwelling over two years old has a lower tax rate (Code général des impôts, art. 279-0 bis).
    dwelling_over_two_years: bool = False


class PlaceGiven(AddressGiven, Place):
    """Where a product is installed, as a person enters it."""

    access_notes: Personal[Reason] | None = Field(default=None, examples=["Code 42B, deuxième étage"])


class Cover(Message):
    """A warranty from its first to its last day, and the share of parts, labour and travel that it pays."""

    kind: CoverKind
    start: date = Field(examples=["2025-09-12"])
    end: date = Field(examples=["2027-09-11"])
    parts: Percent = Field(examples=[100])
    labour: Percent = Field(examples=[100])
    travel: Percent = Field(examples=[100])


class Warranty(Message):
    """What a warranty pays, in percent, and why. `until` is the last day of the cover that applies or ended last."""

    decision: Coverage
    parts: Percent = Field(default=0, examples=[100])
    labour: Percent = Field(default=0, examples=[100])
    travel: Percent = Field(default=0, examples=[100])
    why: Why = Field(examples=["cover_applies"])
    cover: CoverKind | None = None
    until: date | None = Field(default=None, examples=["2027-09-11"])
    # The reason that a manager gave, and when they decided: the later of two decisions wins.
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    decided_at: datetime | None = Field(default=None, examples=["2026-03-03T10:20:00Z"])
    rules: str = WARRANTY_RULES

    def for_client(self) -> "Warranty":
        """Without the reason, which a manager gave for staff."""
        return self.model_copy(update={"reason": None})

    def overrules(self, other: "Warranty | None") -> bool:
        """Whether this is a manager's decision that wins over the other warranty."""
        if self.decided_at is None:
            return False
        return other is None or other.decided_at is None or other.decided_at < self.decided_at

    @classmethod
    def of_shares(cls, parts: int, labour: int, travel: int, **more: object) -> "Warranty":
        """Covered where everything is paid, not covered where nothing is, otherwise partly covered."""
        shares = {parts, labour, travel}
        decision = "covered" if shares == {100} else "not_covered" if shares == {0} else "partly"
        return cls.model_validate(
            {"decision": decision, "parts": parts, "labour": labour, "travel": travel} | more
        )


NO_PRODUCT = Warranty(decision="unknown", why="no_product")


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

    def warranty(self, on: date) -> Warranty:
        """What is paid for a fault that is reported `on` this day; unknown without an accepted proof."""
        if self.proof_state != "accepted":
            return Warranty(decision="unknown", why="proof_not_accepted")
        if not self.covers:
            return Warranty(decision="not_covered", why="covers_ended")
        applying = [cover for cover in self.covers if cover.start <= on <= cover.end]
        if not applying:
            ended = max(cover.end for cover in self.covers)
            return Warranty(
                decision="not_covered",
                why="covers_ended" if ended < on else "no_cover_yet",
                until=ended if ended < on else None,
            )
        best = max(applying, key=lambda cover: (cover.parts + cover.labour + cover.travel, cover.end))
        return Warranty.of_shares(
            max(cover.parts for cover in applying),
            max(cover.labour for cover in applying),
            max(cover.travel for cover in applying),
            why="cover_applies",
            cover=best.kind,
            until=best.end,
        )


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


class ChangeProduct(Command[ProductView]):
    """Change where a product is installed, or how to get there."""

    product_id: UUID
    place: PlaceGiven


class SendProof(Command[ProductView]):
    """Send a proof of purchase, or another one after the first was refused."""

    product_id: UUID
    proof: Paper


class VerifyProduct(Command[ProductView]):
    """Accept the proof of purchase with its dates, or refuse it with a reason.

    `proof` is the SHA-256 of the file that was checked, since another one may have been sent meanwhile.
    """

    product_id: UUID
    proof: Sha256
    accepted: bool
    reason: Reason | None = Field(default=None, examples=["La date d'achat est illisible."])
    purchase_date: Day | None = None
    delivery_date: Day | None = None


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
