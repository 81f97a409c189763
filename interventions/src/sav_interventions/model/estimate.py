"""Estimates."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Sequence
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.catalog.product import Place
from sav_contracts.files import StoredFile
from sav_contracts.interventions.estimate import Acceptance, EstimateStatus, EstimateView, Withdrawal
from sav_contracts.interventions.invoice import Buyer, Lack, Seller
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, Supply, VatTotal
from sav_contracts.money import Currency, as_money
from sav_contracts.time_zone import zone_of
from sav_interventions.billing import itemised
from sav_interventions.lifecycle import ESTIMATE
from sav_interventions.model.invoice import MONEY

REFERENCES = Sequence("estimate_reference")
# An answer that is repeated so soon may only mean that the reply was lost.
REPEATED_WITHIN = timedelta(minutes=10)


class EstimateOver(Conflict):
    """Its last day is over: whoever wants the work asks for another one."""

    code = "estimate_over"
    until: date
    en = "The estimate was valid until {until}: ask for a new one"
    fr = "Le devis était valable jusqu’au {until} : demandez-en un nouveau"


class NothingToEstimate(Conflict):
    """The total is zero: there is nothing to accept."""

    code = "nothing_to_estimate"
    en = "The lines amount to nothing: complete the draft first"
    fr = "Le total des lignes est nul : complétez d’abord le brouillon"


class NoRightToWithdraw(Conflict):
    """There is no right to withdraw, or its last day is over, or all the work is done as the client asked."""

    code = "no_right_to_withdraw"
    en = "There is no right to withdraw from this estimate: it says why"
    fr = "Ce devis n’ouvre pas de droit de rétractation : il indique pourquoi"


class WithdrawalOver(NoRightToWithdraw):
    until: date
    en = "The right to withdraw ended on {until}"
    fr = "Le délai de rétractation a pris fin le {until}"


class RightLost(NoRightToWithdraw):
    en = "The work is done, and was begun early as you asked: the right to withdraw has ended with it"
    fr = (
        "Les travaux, commencés plus tôt à votre demande, sont terminés : le droit de rétractation a pris fin"
    )


class SayItFirst(Conflict):
    """Withdrawing has two steps."""

    code = "withdrawal_not_asked"
    en = "Say first that you want to withdraw, then confirm it"
    fr = "Indiquez d’abord que vous souhaitez vous rétracter, puis confirmez"


class Estimate(Aggregate[EstimateView], Stateful[EstimateStatus]):
    """One edition of the estimate of a visit. Once sent, what it says does not change."""

    __tablename__ = "estimate"
    lifecycle = ESTIMATE

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    intervention_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    # What a visit for no réclamation and its follow-ups are called.
    visit_reference: Mapped[str | None]
    reference: Mapped[str]
    edition: Mapped[int]
    status: Mapped[EstimateStatus]
    currency: Mapped[Currency]
    seller: Mapped[Seller] = mapped_column(JsonColumn(Seller))
    buyer: Mapped[Buyer] = mapped_column(JsonColumn(Buyer))
    place: Mapped[Place | None] = mapped_column(JsonColumn(Place))
    nature: Mapped[str]
    schedule: Mapped[str | None]
    guarantees: Mapped[str | None]
    written_on: Mapped[date]
    valid_until: Mapped[date | None]
    lines: Mapped[list[InvoiceLine]] = mapped_column(JsonColumn(list[InvoiceLine]))
    vat: Mapped[list[VatTotal]] = mapped_column(JsonColumn(list[VatTotal]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    stamp: Mapped[Decimal | None] = mapped_column(MONEY)
    discount: Mapped[Discount | None] = mapped_column(JsonColumn(Discount))
    supply: Mapped[Supply] = mapped_column(JsonColumn(Supply))
    lacks: Mapped[list[Lack]] = mapped_column(JsonColumn(list[Lack]), default=[])
    withdrawal: Mapped[Withdrawal] = mapped_column(JsonColumn(Withdrawal))
    sent_at: Mapped[datetime | None]
    accepted: Mapped[Acceptance | None] = mapped_column(JsonColumn(Acceptance))
    reason: Mapped[str | None]
    withdrawal_asked_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    # What is signed into the links that answer it and withdraw from it.
    answer_grant: Mapped[UUID | None]
    withdrawal_grant: Mapped[UUID | None]
    # When the client answered by the link, which works once.
    link_used_at: Mapped[datetime | None]

    @property
    def total(self) -> Decimal:
        return as_money(self.net + self.tax + (self.stamp or 0))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the place, whose days count."""
        place = self.place
        return ZoneInfo(zone_of(place.country, place.postcode) if place else zone_of("FR", ""))

    def day(self, at: datetime) -> date:
        """The day of this moment at the place."""
        return at.astimezone(self.zone).date()

    def itemise(
        self, lines: Iterable[LineGiven], law: Jurisdiction, supply: Supply, discount: Discount | None
    ) -> None:
        """Sets the lines and computes the totals, by the law of the day on which it is written."""
        made = itemised([*lines], discount, supply, law)
        self.lines, self.vat, self.net, self.tax, self.stamp = made[:5]
        self.supply, self.discount = supply, discount

    def send(self, until: date, at: datetime, grant: UUID, by: Actor) -> None:
        """Sends it to its client, valid until that day."""
        self.move("sent", by)
        if self.net == 0:
            raise NothingToEstimate
        self.lacks = []
        self.sent_at, self.valid_until, self.answer_grant = at, until, grant

    def check_valid(self, at: datetime) -> None:
        """Raises where its last day is over, also if nothing has marked it yet."""
        if self.valid_until and self.day(at) > self.valid_until:
            raise EstimateOver(until=self.valid_until)

    def was_just_answered(self, at: datetime) -> bool:
        """Whether a repeated answer by link may only mean that the reply was lost."""
        return self.link_used_at is not None and at - self.link_used_at <= REPEATED_WITHIN

    def supersede(self) -> None:
        """Another edition takes its place."""
        self.move("superseded", SYSTEM)

    def check_may_withdraw(self, at: datetime, all_is_done: bool) -> None:
        """Raises where there is no right to withdraw any more, or there was none."""
        right, accepted = self.withdrawal, self.accepted
        if self.status == "accepted" and not right.right:
            raise NoRightToWithdraw
        if self.status == "accepted" and right.until and self.day(at) > right.until:
            raise WithdrawalOver(until=right.until)
        if accepted and accepted.begins_early and all_is_done and right.counts_from == "conclusion":
            raise RightLost

    def unpaid_until(self, at: datetime) -> date | None:
        """The last day on which nothing may be paid for it, if that is not over: it was concluded at the client's home."""
        until = self.withdrawal.no_payment_until
        return until if self.status == "accepted" and until and self.day(at) <= until else None

    @property
    def owes_what_is_done(self) -> bool:
        """Whether a withdrawal leaves what is done until then to be paid: the client asked for it to begin earlier."""
        asked = self.accepted is not None and self.accepted.begins_early
        return asked and self.withdrawal.counts_from == "conclusion"

    def waits_until(self, at: datetime) -> date | None:
        """Until when the work has to wait, since the client may withdraw and did not ask to begin earlier."""
        right = self.withdrawal
        if right.counts_from != "conclusion" or self.accepted is None or self.accepted.begins_early:
            return None
        return right.until if right.until and self.day(at) <= right.until else None
