"""Orders of parts: by clients, who buy them, and by technicians, for a repair."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.actor import Role
from sav_contracts.auth.fields import LinkToken
from sav_contracts.catalog.article import ArticleView
from sav_contracts.interventions.estimate import Withdrawal
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
    Reference,
    View,
)
from sav_contracts.money import Amount, Currency, Difference, Percent, VatClass
from sav_contracts.parts import PartNeeded
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

OrderPurpose = Literal["repair", "purchase"]
OrderStatus = Literal[
    "placed", "validated", "refused", "reserved", "back_ordered", "shipped", "received", "cancelled"
]
# `consumed`: built in, or shipped to its buyer.
OrderLineState = Literal["ordered", "reserved", "back_ordered", "consumed", "released"]
# Where withdrawing from a purchase stands: it may be begun or confirmed, was done, is too late, or nothing is left to end.
PurchaseStanding = Literal["open", "asked", "withdrawn", "over", "cancelled", "refused"]

# Lines of an order.
MOST_LINES = 50
# The states in which an order still needs stock.
NEEDS_STOCK: frozenset[OrderStatus] = frozenset({"validated", "reserved", "back_ordered"})
# Its pieces are no longer on the shelf.
SHIPPED_ALREADY: frozenset[OrderStatus] = frozenset({"shipped", "received"})


class OrderLine(Message):
    """Pieces of one article; its price per piece as it was when they were ordered, excluding VAT."""

    id: UUID
    article_id: UUID
    article: str = Field(examples=["Circulateur 25-60"])
    reference: str = Field(examples=["CIR-25-60"])
    quantity: int = Field(examples=[2])
    unit_price: Amount = Field(examples=["186.40"])
    vat_class: VatClass
    # The share that the warranty pays, in percent; nothing of a purchase. None where that is not decided.
    covered: Percent | None = Field(default=None, examples=[100])
    state: OrderLineState = "ordered"

    def needed(self) -> PartNeeded:
        """The line as stock is reserved for it."""
        return PartNeeded(
            id=self.id, article_id=self.article_id, quantity=self.quantity, covered=self.covered
        )


class OrderView(View):
    """An order. Who ordered is its technician, for a repair, or its client, who buys. `net` is excluding VAT.

    `gross` is what a purchase costs its buyer, VAT and stamp included, as they see it before they are bound; None for a
    repair, which its visit bills, and for orders from before this was said.
    """

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    reference: Annotated[str, ComparedAs(Reference)] = Field(examples=["CMD-2026-000001"])
    purpose: OrderPurpose
    client_id: PersonId
    technician_id: PersonId | None
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    lines: tuple[OrderLine, ...]
    currency: Currency
    net: Difference = Field(examples=["372.80"])
    gross: Difference | None = Field(default=None, examples=["447.36"])
    status: OrderStatus
    # Why it was refused or cancelled.
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # Whether the client may withdraw from what they buy, and until when: that is known once it is received.
    withdrawal: Withdrawal | None = None
    # When the client began to withdraw, when they confirmed it, and when what was shipped had come back.
    withdrawal_asked_at: datetime | None = Field(default=None, examples=["2026-03-06T18:02:00Z"])
    withdrawn_at: datetime | None = Field(default=None, examples=["2026-03-06T18:03:00Z"])
    returned_at: datetime | None = Field(default=None, examples=["2026-03-12T09:30:00Z"])

    @property
    def ordered_by_id(self) -> UUID:
        return self.technician_id or self.client_id

    def for_client(self) -> "OrderView":
        """What is said of a technician's order is for staff."""
        return self.model_copy(update={"reason": self.reason if self.purpose == "purchase" else None})

    def is_open(self) -> bool:
        if self.withdrawn_at and self.status in SHIPPED_ALREADY:
            return self.returned_at is None
        return self.status not in ("refused", "received", "cancelled")

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.id} | ({self.reclamation_id} if self.reclamation_id else set()))


class OrderedTwice(WrongValue):
    code = "ordered_twice"
    en = "lines: order each article once, with all pieces of it"
    fr = "lines : commandez chaque article une seule fois, avec toutes ses pièces"


class ForWhichRepair(WrongValue):
    code = "for_which_repair"
    field = "reclamation_id"
    en = "reclamation_id: an order for a repair says for which claim; a purchase is for none"
    fr = "reclamation_id : une commande pour une réparation indique sa réclamation ; un achat n’en a pas"


class OrderLineWanted(Message):
    """So many pieces of an article."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)] = Field(examples=[2])


class ArticlePrice(Message):
    """What so many pieces of an article cost a client: excluding VAT, and all included."""

    article_id: UUID
    quantity: int = Field(examples=[2])
    currency: Currency
    net: Difference = Field(examples=["372.80"])
    gross: Difference = Field(examples=["447.36"])


class GetArticlePrice(Query[ArticlePrice]):
    """What an order of so many pieces of an article costs a client today, VAT of their place included."""

    of: ClassVar[type[View] | None] = ArticleView

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)] = Field(default=1, examples=[2])


class PlaceOrder(Command[OrderView]):
    """Order parts: a client buys them, a technician orders them for a repair of theirs. A manager validates the order."""

    purpose: OrderPurpose
    reclamation_id: UUID | None = None
    lines: Annotated[list[OrderLineWanted], Field(min_length=1, max_length=MOST_LINES)]

    @model_validator(mode="after")
    def _makes_sense(self) -> "PlaceOrder":
        if len({line.article_id for line in self.lines}) < len(self.lines):
            raise OrderedTwice().error()
        if (self.purpose == "repair") != (self.reclamation_id is not None):
            raise ForWhichRepair().error()
        return self


class ValidateOrder(Command[OrderView]):
    """Validate an order: its pieces are reserved, or back-ordered."""

    order_id: UUID


class RefuseOrder(Command[OrderView]):
    """Refuse an order, and say why: whoever ordered is told."""

    order_id: UUID
    reason: Reason


class ShipOrder(Command[OrderView]):
    """Ship an order of which all pieces are reserved. A purchase leaves the stock; a repair's pieces do with the work.

    What no work has used when the réclamation is over leaves the stock then: whoever brings it back records a `return`.
    """

    order_id: UUID


class ReceiveOrder(Command[OrderView]):
    """Confirm that what was shipped has arrived: whoever ordered, or a manager."""

    order_id: UUID


class CancelOrder(Command[OrderView]):
    """Cancel an order: whoever ordered until it is validated, a manager until it is shipped, who says why."""

    order_id: UUID
    reason: Reason | None = None


class BeginOrderWithdrawal(Command[OrderView]):
    """Withdraw from a purchase, first step: say so. Nothing is cancelled before it is confirmed."""

    order_id: UUID


class ConfirmOrderWithdrawal(Command[OrderView]):
    """Withdraw, second step: confirm; a receipt comes by mail. What was not shipped is cancelled, other goods are sent back."""

    order_id: UUID


class RecordOrderWithdrawal(Command[OrderView]):
    """Record that a client withdrew from a purchase by letter or e-mail, on the day on which it arrives.

    `said_on` is the day on which they sent it: that one is in time or too late. They get the receipt by mail.
    """

    order_id: UUID
    said_on: Day = Field(examples=["2026-03-06"])


class PurchaseShown(Message):
    """A purchase as whoever holds the link to withdraw from it reads it. Its days are those of its buyer's place."""

    reference: str = Field(examples=["CMD-2026-000001"])
    client: Personal[str] = Field(examples=["Léa Bernard"])
    ordered_on: date = Field(examples=["2026-03-02"])
    lines: list[OrderLine]
    currency: Currency
    net: Difference = Field(examples=["372.80"])
    gross: Difference | None = Field(examples=["447.36"])
    status: PurchaseStanding
    # Whether it was shipped, so that the goods come back after a withdrawal; when they had.
    shipped: bool
    returned_on: date | None = Field(examples=["2026-03-12"])
    # The last day to withdraw; None until the goods are received.
    until: date | None = Field(examples=["2026-03-19"])
    days: int | None = Field(examples=[14])
    withdrawn_on: date | None = Field(examples=["2026-03-06"])
    # The last day to pay back what was paid, after the withdrawal, or after one of today.
    pay_back_by: date | None = Field(examples=["2026-03-20"])


class GetOrderWithdrawalByLink(Query[PurchaseShown]):
    """Read the purchase from which a link withdraws."""

    token: LinkToken


class WithdrawFromOrderByLink(Command[PurchaseShown]):
    """Withdraw from a purchase by a link: first say so, then confirm. A confirmation repeated is no error."""

    secret: ClassVar[bool] = True

    token: LinkToken
    confirm: bool = False


class ReturnOrder(Command[OrderView]):
    """Record that the goods of a purchase are back from which its client withdrew: its invoice is credited.

    Whoever puts them on the shelf again records the `return` of the stock.
    """

    order_id: UUID


OrderChanged = Changed[OrderView]


class OrderPlaced(Event[OrderView]):
    """A client or a technician ordered parts: a manager is to look at it."""

    client_sees: ClassVar[bool] = True


class OrderValidated(Event[OrderView]):
    """A manager validated an order: stock is reserved for its lines."""

    client_sees: ClassVar[bool] = True


class OrderRefused(Event[OrderView]):
    """A manager refused an order."""

    client_sees: ClassVar[bool] = True

    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "OrderRefused":
        return self.model_copy(update={"reason": self.state.for_client().reason})


class OrderMoved(Event[OrderView]):
    """All pieces of an order are reserved now, or some are waited for."""

    client_sees: ClassVar[bool] = True

    before: OrderStatus
    after: OrderStatus


class OrderCancelled(Event[OrderView]):
    """Whoever ordered or a manager cancelled an order; or SAV itself, since the réclamation is over."""

    client_sees: ClassVar[bool] = True

    by: Role
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "OrderCancelled":
        return self.model_copy(update={"reason": self.state.for_client().reason})


class OrderShipped(Event[OrderView]):
    """An order was shipped. What was bought has left the stock."""

    client_sees: ClassVar[bool] = True


class OrderReceived(Event[OrderView]):
    """What was shipped has arrived."""

    client_sees: ClassVar[bool] = True


class OrderWithdrawn(Event[OrderView]):
    """A client withdrew from a purchase, at this time. It is cancelled, or, where it was shipped, to be sent back."""

    client_sees: ClassVar[bool] = True

    at: datetime = Field(examples=["2026-03-06T18:03:00Z"])
    # The last day to pay back what was paid; None where no rule is known.
    pay_back_by: date | None = Field(default=None, examples=["2026-03-20"])


class OrderReturned(Event[OrderView]):
    """The goods of a purchase are back from which its client withdrew."""

    client_sees: ClassVar[bool] = True

    # The last day to pay back what was paid; None where no rule is known. Older events do not say it.
    pay_back_by: date | None = Field(default=None, examples=["2026-03-20"])
