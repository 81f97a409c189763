"""Estimates: what work outside warranty would cost, and whether the client wants it."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.auth.fields import LinkToken
from sav_contracts.catalog.product import Place, PlaceGiven
from sav_contracts.files import Paper, StoredFile
from sav_contracts.interventions.invoice import Buyer, Lack, Seller
from sav_contracts.interventions.line import (
    BuyerKind,
    Discount,
    DiscountGiven,
    InvoiceLine,
    LineGiven,
    Supply,
    SupplyGiven,
    VatTotal,
)
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Message,
    PersonId,
    Prose,
    Query,
    Reason,
    Reference,
    View,
)
from sav_contracts.money import Amount, Currency
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible

EstimateStatus = Literal["draft", "sent", "accepted", "refused", "expired", "superseded", "withdrawn"]
# Where the contract is concluded.
Setting = Literal["at_home", "at_distance"]
# Why there is a right to withdraw, or why there is none.
WithdrawalCase = Literal["at_home", "at_distance", "urgent_repair", "business_buyer", "no_rule"]
CountsFrom = Literal["conclusion", "delivery"]
AnsweredHow = Literal["site", "link", "paper"]


class Withdrawal(Message):
    """Whether the client may withdraw from what they accepted, why, and until when.

    `until` is the last day, in the zone of the place. It is None until the estimate is accepted, and for a supply with
    fitting until that is delivered.
    """

    right: bool
    case: WithdrawalCase
    # What the client asked to be done at once, where the repair is urgent.
    urgency: str | None = Field(default=None, examples=["Fuite d'eau sous la chaudière."])
    days: int | None = Field(default=None, examples=[14])
    counts_from: CountsFrom | None = None
    until: date | None = Field(default=None, examples=["2026-03-20"])
    # Until that day nothing may be paid; None where nothing forbids it, or the estimate is not accepted yet.
    no_payment_until: date | None = Field(default=None, examples=["2026-03-12"])
    reference: str | None = Field(default=None, examples=["Code de la consommation, L221-18"])


class Acceptance(Message):
    """What the client said when they accepted an estimate. Of one signed on paper only the day is known."""

    at: datetime = Field(examples=["2026-03-05T09:40:00Z"])
    how: AnsweredHow
    # Whether replaced parts are kept for the client; None where they did not say.
    keeps_parts: bool | None = None
    # Whether they asked for the work to begin before the right to withdraw ends, knowing that it ends with the work.
    begins_early: bool = False


class EstimateView(View):
    """An estimate. A client sees it once it was sent. A new edition takes the place of the one before when it is sent."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId
    intervention_id: UUID
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    # What its visit is called, where that is for no réclamation.
    visit_reference: str | None = Field(default=None, examples=["INT-2026-000001"])
    reference: Annotated[str, ComparedAs(Reference)] = Field(examples=["DEV-2026-000001"])
    edition: int = Field(examples=[1])
    status: EstimateStatus
    currency: Currency
    seller: Seller
    buyer: Buyer
    place: Place | None
    # The exact nature of the work.
    nature: str = Field(examples=["Remplacement du circulateur bloqué et purge du circuit."])
    # When the work is done, in words.
    schedule: str | None = Field(default=None, examples=["Sous dix jours ouvrés après acceptation."])
    guarantees: str | None = Field(default=None, examples=["Pièces garanties deux ans."])
    written_on: date = Field(examples=["2026-03-05"])
    # Its last day; None while it is a draft.
    valid_until: date | None = Field(examples=["2026-04-04"])
    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Amount = Field(examples=["186.40"])
    tax: Amount = Field(examples=["18.64"])
    # A duty beside the VAT.
    stamp: Amount | None = None
    total: Amount = Field(examples=["205.04"])
    # What is taken off the whole, and what the VAT depends on.
    discount: Discount | None = None
    supply: Supply
    # What is still to be known of its buyer and supply, while it is a draft.
    lacks: list[Lack] = Field(default=[], examples=[["buyer_address"]])
    withdrawal: Withdrawal
    sent_at: datetime | None = Field(default=None, examples=["2026-03-05T09:10:00Z"])
    accepted: Acceptance | None = None
    # Why the client refused it.
    reason: str | None = Field(default=None, examples=["Trop cher."])
    # When the client began to withdraw, and when they confirmed that.
    withdrawal_asked_at: datetime | None = Field(default=None, examples=["2026-03-06T18:02:00Z"])
    withdrawn_at: datetime | None = Field(default=None, examples=["2026-03-06T18:03:00Z"])
    # The PDF, once it has been made.
    document: StoredFile | None = None

    @property
    def called(self) -> str:
        """What people know it by."""
        return self.reference if self.edition == 1 else f"{self.reference} v{self.edition}"

    def for_client(self) -> "EstimateView | None":
        return None if self.status == "draft" else self

    def is_open(self) -> bool:
        return self.status in {"draft", "sent"}

    def timeline_roots(self) -> frozenset[UUID]:
        named = {self.id, self.intervention_id, self.reclamation_id}
        return frozenset(root for root in named if root)


class EstimateShown(Message):
    """An estimate as whoever holds its link reads it."""

    reference: str = Field(examples=["DEV-2026-000001"])
    edition: int = Field(examples=[1])
    status: EstimateStatus
    currency: Currency
    seller: Seller
    buyer: Buyer
    nature: str = Field(examples=["Remplacement du circulateur bloqué et purge du circuit."])
    schedule: str | None = Field(examples=["Sous dix jours ouvrés après acceptation."])
    guarantees: str | None = Field(examples=["Pièces garanties deux ans."])
    written_on: date = Field(examples=["2026-03-05"])
    valid_until: date | None = Field(examples=["2026-04-04"])
    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Amount = Field(examples=["186.40"])
    tax: Amount = Field(examples=["18.64"])
    stamp: Amount | None
    total: Amount = Field(examples=["205.04"])
    discount: Discount | None
    withdrawal: Withdrawal
    accepted: Acceptance | None
    withdrawal_asked_at: datetime | None = Field(examples=["2026-03-06T18:02:00Z"])
    withdrawn_at: datetime | None = Field(examples=["2026-03-06T18:03:00Z"])
    # The PDF, once it has been made: at `/estimate.pdf` and `/withdraw.pdf` of the edge, with the `token` of the link.
    document: StoredFile | None = None


class WriteEstimate(Command[EstimateView]):
    """Write the estimate of a visit: rewrite its draft, or begin another edition of one that was sent.

    `urgent` says what the client asked to be repaired at once at home: then there is no right to withdraw.
    """

    intervention_id: UUID
    nature: Prose = Field(examples=["Remplacement du circulateur bloqué et purge du circuit."])
    lines: Annotated[list[LineGiven], Field(min_length=1, max_length=60)]
    schedule: Reason | None = Field(default=None, examples=["Sous dix jours ouvrés après acceptation."])
    guarantees: Reason | None = Field(default=None, examples=["Pièces garanties deux ans."])
    setting: Setting = "at_home"
    urgent: Reason | None = Field(default=None, examples=["Fuite d'eau sous la chaudière."])
    # Whether an article is sold and fitted, which counts the time to withdraw from delivery. Default: an installation is.
    supplies: bool | None = None
    # Default: as the unit's buyer is known to be; a private person where no unit is named.
    buyer_kind: BuyerKind | None = Field(default=None, examples=["private"])
    discount: DiscountGiven | None = None
    # Whether the client certifies, by accepting, what a lower rate depends on: the wording stands on the estimate.
    certified: bool = False
    # Where the work is done, and what else is not as the visit and its unit say.
    place: PlaceGiven | None = None
    supply: SupplyGiven | None = None


class ValidateEstimate(Command[EstimateView]):
    """Send a draft to its client, with a link to answer. The edition that was sent before it is superseded.

    Refused where its `lacks` names what the law asks for: the client's address, the place, the firm's e-mail address and,
    for a consumer, its mediator.
    """

    estimate_id: UUID
    # Its last day. Default: as many days from today as the settings say.
    valid_until: Day | None = None


class Answer(Message):
    """What a client may say with their acceptance."""

    # Whether replaced parts are kept for the client.
    keeps_parts: bool | None = None
    # Whether the work may begin before the right to withdraw ends. It needs the acknowledgement that the right ends once
    # all the work is done, and that what was done until a withdrawal is paid.
    begins_early: bool = False
    acknowledges_loss: bool = False


class AcceptEstimate(Command[EstimateView], Answer):
    """Accept one's own estimate: from then on it is a contract."""

    estimate_id: UUID


class RecordSignedEstimate(Command[EstimateView], Answer):
    """Record that a client accepted an estimate on paper. The signed paper is its document from then.

    The right to withdraw counts from the day on which they signed, as after any other acceptance.
    """

    estimate_id: UUID
    paper: Paper
    # At the place. Default: today. Not before it was sent.
    signed_on: Day | None = None


class RefuseEstimate(Command[EstimateView]):
    """Refuse one's own estimate."""

    estimate_id: UUID
    reason: Reason | None = None


class GetEstimateByLink(Query[EstimateShown]):
    """Read the estimate that a link is about."""

    token: LinkToken


class AnswerEstimateByLink(Command[EstimateShown], Answer):
    """Accept or refuse the estimate that a link is about. The link works once; the same answer repeated is no error."""

    secret: ClassVar[bool] = True

    token: LinkToken
    accept: bool
    reason: Reason | None = None


class BeginWithdrawal(Command[EstimateView]):
    """Withdraw from an accepted estimate, first step: say so. Nothing is cancelled before it is confirmed."""

    estimate_id: UUID


class ConfirmWithdrawal(Command[EstimateView]):
    """Withdraw, second step: confirm. The visit is cancelled, and a receipt comes by mail."""

    estimate_id: UUID


class RecordWithdrawal(Command[EstimateView]):
    """Record that a client withdrew by letter or e-mail: what they sent within the time counts, whenever it arrives."""

    estimate_id: UUID
    # When they sent it, at the place. Default: today.
    declared_on: Day | None = None


class GetWithdrawalByLink(Query[EstimateShown]):
    """Read the accepted estimate from which a link withdraws."""

    token: LinkToken


class WithdrawByLink(Command[EstimateShown]):
    """Withdraw by a link: first say so, then confirm. A confirmation repeated is no error."""

    secret: ClassVar[bool] = True

    token: LinkToken
    confirm: bool = False


class EstimateWritten(Event[EstimateView]):
    """An estimate waits for a manager to send it."""


EstimateChanged = Changed[EstimateView]


class EstimateSent(Event[EstimateView]):
    """An estimate was sent to its client. The sender signs the link from the grant, so that no secret is sent."""

    client_sees: ClassVar[bool] = True

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-04-04T22:00:00Z"])


class EstimateAccepted(Event[EstimateView]):
    """A client accepted an estimate. Where they may withdraw, the sender signs the link for that from the grant."""

    client_sees: ClassVar[bool] = True

    grant_id: UUID | None = None


class EstimateRefused(Event[EstimateView]):
    """A client refused an estimate."""

    client_sees: ClassVar[bool] = True

    reason: str | None = Field(default=None, examples=["Trop cher."])
    # Whether the visits that were planned for this work are cancelled with it.
    cancels: bool = False


class EstimateExpired(Event[EstimateView]):
    """Nobody answered an estimate until its last day."""

    client_sees: ClassVar[bool] = True


class EstimateSuperseded(Event[EstimateView]):
    """Another edition took the place of an estimate."""


class EstimateWithdrawn(Event[EstimateView]):
    """A client withdrew from an accepted estimate, at this time. What was done until then is owed, or nothing."""

    client_sees: ClassVar[bool] = True

    at: datetime = Field(examples=["2026-03-06T18:03:00Z"])
    owed: Literal["nothing", "part_done"] = "nothing"
    # Whether the work had begun, so that the visit is not simply cancelled.
    begun: bool = False
    # Whether a visit that was planned is cancelled with it: none is where somebody is there, or a warranty pays for it.
    cancels: bool = True
    # The last day to pay back what was paid; None where no rule is known, and in older events.
    pay_back_by: date | None = Field(default=None, examples=["2026-03-20"])
