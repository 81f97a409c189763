"""Installed products and their warranty."""

from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.address import Address
from sav_contracts.catalog.article import Family
from sav_contracts.files import Paper, Sha256, StoredFile
from sav_contracts.messages import (
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Query,
    Reason,
    Scope,
    View,
)
from sav_contracts.money import Percent

ProofState = Literal["none", "submitted", "accepted", "refused"]
CoverKind = Literal["legal_conformity", "commercial", "manufacturer", "contract", "repair"]
Coverage = Literal["covered", "partly", "not_covered", "unknown"]
# Why a warranty is as it is; messages and pages say it in the reader's language.
Why = Literal[
    "no_product", "proof_not_accepted", "cover_applies", "no_cover_yet", "covers_ended", "decided_by_manager"
]

# The legal conformity of goods lasts two years from delivery (Code de la consommation, L217-3).
LEGAL_CONFORMITY_MONTHS = 24
# Which rules `ProductView.warranty` applies; it changes whenever they do.
WARRANTY_RULES = "2026.1"


def months_after(start: date, months: int) -> date:
    """The same day so many months later, or that month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class Place(Address):
    """Where a product is installed."""

    access_notes: Personal[Reason] | None = None
    # Some work in an older dwelling is taxed less (Code général des impôts, art. 279-0 bis).
    dwelling_over_two_years: bool = False


class Cover(Message):
    """A warranty from its first to its last day, with the share of parts, labour and travel that it pays."""

    kind: CoverKind
    start: date
    end: date
    parts: Percent
    labour: Percent
    travel: Percent


class Warranty(Message):
    """What is paid for by warranty, in percent, and why; `until` is the last day of the covers that apply or applied."""

    decision: Coverage
    parts: Percent = 0
    labour: Percent = 0
    travel: Percent = 0
    why: Why
    cover: CoverKind | None = None
    until: date | None = None
    # What a manager gave as reason, and when they decided: of two decisions the later one stands.
    reason: str | None = None
    decided_at: datetime | None = None
    rules: str = WARRANTY_RULES

    def for_client(self) -> "Warranty":
        """Without what a manager told the house."""
        return self.model_copy(update={"reason": None})

    def overrules(self, other: "Warranty | None") -> bool:
        """Whether this is a manager's decision that stands against the other one."""
        if self.decided_at is None:
            return False
        return other is None or other.decided_at is None or other.decided_at < self.decided_at

    @classmethod
    def of_shares(cls, parts: int, labour: int, travel: int, **more: object) -> "Warranty":
        """Covered where everything is paid, not covered where nothing is."""
        shares = {parts, labour, travel}
        decision = "covered" if shares == {100} else "not_covered" if shares == {0} else "partly"
        return cls.model_validate(
            {"decision": decision, "parts": parts, "labour": labour, "travel": travel} | more
        )


NO_PRODUCT = Warranty(decision="unknown", why="no_product")


class ProductView(View):
    """An installed product, its proof of purchase and the covers that follow from it."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    article_id: UUID
    article: str
    family: Family
    serial: str
    place: Place
    purchase_date: date
    delivery_date: date
    commissioning_date: date | None
    proof: StoredFile | None
    proof_state: ProofState
    proof_reason: str | None
    covers: list[Cover]

    def warranty(self, on: date) -> Warranty:
        """What is paid for a fault reported `on` that day. Without an accepted proof nobody knows yet."""
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
    serial: Annotated[Line, Field(max_length=60)]
    place: Place
    purchase_date: date
    delivery_date: date | None = None
    commissioning_date: date | None = None
    proof: Paper | None = None


class ChangeProduct(Command[ProductView]):
    """Change where a product is installed, or how to get there."""

    product_id: UUID
    place: Place


class SendProof(Command[ProductView]):
    """Send a proof of purchase, or another one where the first was refused."""

    product_id: UUID
    proof: Paper


class VerifyProduct(Command[ProductView]):
    """Accept the proof of purchase, with the dates that stand on it, or refuse it with a reason.

    `proof` is the SHA-256 of the file that was looked at: another one may have been sent meanwhile.
    """

    product_id: UUID
    proof: Sha256
    accepted: bool
    reason: Reason | None = None
    purchase_date: date | None = None
    delivery_date: date | None = None


class GetWarranty(Query[Warranty]):
    """The warranty of a product on a date (today where none is given)."""

    product_id: UUID
    on: date | None = None


class ProductRegistered(Event):
    """A client has this product."""

    client_sees: ClassVar[bool] = True

    state: ProductView


class ProductChanged(Event):
    """Place or access notes are different."""

    tells: ClassVar[bool] = False

    state: ProductView


class ProofSubmitted(Event):
    """A proof of purchase waits for a manager."""

    client_sees: ClassVar[bool] = True

    state: ProductView


class ProductVerified(Event):
    """A manager accepted or refused the proof of purchase; where accepted, the covers follow from it."""

    client_sees: ClassVar[bool] = True

    state: ProductView
    accepted: bool
    reason: str | None = None
