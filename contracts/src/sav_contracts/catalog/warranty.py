"""Covers: what they pay on a day, and when they end. Pure rules, the same in every service."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Message
from sav_contracts.money import Percent

CoverKind = Literal["legal_conformity", "commercial", "manufacturer", "contract", "repair", "goodwill"]
Coverage = Literal["covered", "partly", "not_covered", "unknown"]
# The reason for a warranty decision, which messages and pages show in the reader's language.
Why = Literal[
    "no_product",
    "proof_not_accepted",
    "cover_applies",
    "no_cover_yet",
    "covers_ended",
    "decided_by_manager",
    "sold_by_another",
    "defect_to_be_proven",
    "replaced",
    # Maintenance or an installation: guarantees pay for faults.
    "no_fault",
]

# The version of the rules in this file; it changes with them.
WARRANTY_RULES = "2026.2"
# Of two covers that pay as much, the earlier of these is said to pay: the law's guarantee goes first, since a repair
# under it prolongs it.
PRECEDENCE: tuple[CoverKind, ...] = (
    "legal_conformity", "repair", "commercial", "manufacturer", "contract", "goodwill",
)  # fmt: skip


class LegalGuarantee(NamedTuple):
    """The guarantee of conformity that a seller owes a consumer, for what was bought from `since` on."""

    since: date
    # From delivery, for a new unit.
    months: int
    # So long a defect of a second-hand unit is presumed to have been there; then the consumer proves it.
    second_hand: int
    # The months that a repair under it adds, and the fewest days of immobilisation that suspend a guarantee.
    repair_adds: int
    shortest_suspension: int
    reference: str


# The newest first. Ordonnance n° 2021-1247 holds for contracts from 2022 on.
LEGAL_GUARANTEES = (
    LegalGuarantee(date(2022, 1, 1), 24, 12, 6, 1, "Code de la consommation, L217-3, L217-7, L217-13, L217-28"),
    LegalGuarantee(date.min, 24, 6, 0, 7, "Code de la consommation, L217-7, L217-12, L217-16 (before 2022)"),
)  # fmt: skip


def legal_guarantee(purchase: date) -> LegalGuarantee:
    """The rule for what was bought on this day."""
    return next(rule for rule in LEGAL_GUARANTEES if rule.since <= purchase)


def months_after(start: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class CoveredRepair(Message):
    """A repair that covers of these kinds paid, from the day it was asked for until the unit worked again.

    `back` is empty while the unit is down.
    """

    reclamation_id: UUID
    asked: date = Field(examples=["2026-03-02"])
    back: date | None = Field(examples=["2026-03-05"])
    covers: list[CoverKind] = Field(examples=[["legal_conformity"]])
    # How often the legal guarantee had it repaired: more than once where the réclamation was reopened.
    times: int = 1


class Cover(Message):
    """A warranty from its first to its last day, and the share of parts, labour and travel that it pays.

    One that lasts for some `months` is prolonged by repairs and suspended while the unit is down: `end` says until when
    it lasts by what is known. One that a manager added with a last day has no `months`.
    """

    kind: CoverKind
    start: date = Field(examples=["2025-09-12"])
    end: date = Field(examples=["2027-09-11"])
    parts: Percent = Field(examples=[100])
    labour: Percent = Field(examples=[100])
    travel: Percent = Field(examples=[100])
    id: UUID | None = None
    months: int | None = Field(default=None, examples=[24])
    # Why a manager added or voided it; for staff.
    reason: str | None = Field(default=None, examples=["Contrat d'entretien signé le 12 septembre."])
    exclusions: str | None = Field(default=None, examples=["Pièces d'usure"])
    voided_at: datetime | None = Field(default=None, examples=["2026-03-06T08:30:00Z"])

    @property
    def same(self) -> tuple[str, int, int, int]:
        """What tells it from the other covers that follow from the same sale."""
        return self.kind, self.parts, self.labour, self.travel

    @property
    def from_manager(self) -> bool:
        """Whether a manager added it, who always gives a reason."""
        return self.reason is not None

    def for_client(self) -> "Cover":
        return self.model_copy(update={"reason": None})

    def prolonged(self, purchase: date, repairs: Iterable[CoveredRepair]) -> "Cover":
        """With the end that follows from the repairs: months from the start first, then the days the unit was down."""
        if self.months is None:
            return self
        rule = legal_guarantee(purchase)
        months, days, counted = self.months, 0, date.min
        end = months_after(self.start, months)
        for repair in sorted(repairs, key=lambda repair: (repair.asked, repair.back or date.max)):
            if repair.back is None or not self.start <= repair.asked <= end:
                continue
            if self.kind == "legal_conformity" and self.kind in repair.covers:
                months += rule.repair_adds * repair.times
            # Days in two repairs at once count once.
            down = (repair.back - max(repair.asked, counted)).days
            if (repair.back - repair.asked).days >= rule.shortest_suspension:
                days += max(down, 0)
                counted = max(counted, repair.back)
            end = months_after(self.start, months) + timedelta(days)
        return self.model_copy(update={"end": end})

    def applies(self, on: date, repairs: Iterable[CoveredRepair]) -> bool:
        """Whether it pays for a fault that is reported on this day."""
        if self.voided_at or on < self.start:
            return False
        return on <= self.end or (self.months is not None and self._is_suspended(on, repairs))

    def _is_suspended(self, on: date, repairs: Iterable[CoveredRepair]) -> bool:
        """Whether a repair that began before its end keeps it from ending."""
        return any(repair.back is None and repair.asked <= min(on, self.end) for repair in repairs)


class Warranty(Message):
    """What warranties pay, in percent, and why. `until` is the last day of the cover that applies or ended last.

    `cover` pays most of all; `parts_cover`, `labour_cover` and `travel_cover` pay the single shares.
    """

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
    parts_cover: CoverKind | None = None
    labour_cover: CoverKind | None = None
    travel_cover: CoverKind | None = None
    # The seller who owes the legal guarantee of conformity, where that is somebody else.
    owed_by: str | None = Field(default=None, examples=["Brico Rhône"])
    # Whether the client reads the reason. That of older decisions was given for staff.
    reason_told: bool = False

    def for_client(self) -> "Warranty":
        """Without a reason that a manager gave for staff."""
        return self if self.reason_told else self.model_copy(update={"reason": None})

    def overrules(self, other: "Warranty | None") -> bool:
        """Whether this is a manager's decision that wins over the other warranty."""
        if self.decided_at is None:
            return False
        return other is None or other.decided_at is None or other.decided_at < self.decided_at

    def paid_by(self) -> set[CoverKind]:
        """The kinds of covers that pay a share, also of what a manager decided."""
        if self.why not in ("cover_applies", "decided_by_manager"):
            return set()
        kinds = self.cover, self.parts_cover, self.labour_cover, self.travel_cover
        return {kind for kind in kinds if kind}

    @classmethod
    def by_manager(
        cls, shares: tuple[int, int, int], reason: str, at: datetime, rule: "Warranty | None"
    ) -> "Warranty":
        """A manager's decision about parts, labour and travel; the client reads the reason.

        `rule` is what covers pay without it.
        """
        decided = cls.of_shares(
            *shares, why="decided_by_manager", reason=reason, decided_at=at, reason_told=True
        )
        return decided.by_covers_of(rule) if rule else decided

    def by_covers_of(self, rule: "Warranty") -> "Warranty":
        """The same shares, each with the cover that pays it by the rule, in whole or in part.

        A cover that pays what a manager left at its share, raised or lowered is still used: a repair under it prolongs it.
        """
        covers = {
            share: getattr(rule, f"{share}_cover") if getattr(self, share) else None
            for share in ("parts", "labour", "travel")
        }
        used = [kind for kind in covers.values() if kind]
        best = rule.cover if rule.cover in used else min(used, key=PRECEDENCE.index, default=None)
        return self.model_copy(
            update={f"{share}_cover": kind for share, kind in covers.items()}
            | {"cover": best, "until": rule.until if best and best == rule.cover else None}
        )

    @classmethod
    def of_shares(cls, parts: int, labour: int, travel: int, **more: object) -> "Warranty":
        """Covered where everything is paid, not covered where nothing is, otherwise partly covered."""
        shares = {parts, labour, travel}
        decision = "covered" if shares == {100} else "not_covered" if shares == {0} else "partly"
        return cls.model_validate(
            {"decision": decision, "parts": parts, "labour": labour, "travel": travel} | more
        )

    @classmethod
    def of_covers(cls, covers: Sequence[Cover], **more: object) -> "Warranty":
        """What these covers pay together: each share by the one that pays most of it."""
        parts, labour, travel = (
            max(covers, key=lambda cover: _rank(getattr(cover, share), cover))
            for share in ("parts", "labour", "travel")
        )
        best = max(covers, key=lambda cover: _rank(cover.parts + cover.labour + cover.travel, cover))
        return cls.of_shares(
            parts.parts,
            labour.labour,
            travel.travel,
            why="cover_applies",
            cover=best.kind,
            until=best.end,
            parts_cover=parts.kind if parts.parts else None,
            labour_cover=labour.kind if labour.labour else None,
            travel_cover=travel.kind if travel.travel else None,
            **more,
        )


NO_PRODUCT = Warranty(decision="unknown", why="no_product")


def _rank(share: int, cover: Cover) -> tuple[int, int, date]:
    return share, -PRECEDENCE.index(cover.kind), cover.end
