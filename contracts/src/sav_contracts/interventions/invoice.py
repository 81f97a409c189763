"""Invoices."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.bank import Bank
from sav_contracts.files import StoredFile
from sav_contracts.interventions.buyer import Siren, TaxNumber
from sav_contracts.interventions.line import (
    BuyerKind,
    Discount,
    DiscountGiven,
    InvoiceLine,
    LineGiven,
    LineRecorded,
    Supply,
    SupplyGiven,
    VatTotal,
)
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Reason,
    Reference,
    View,
)
from sav_contracts.money import Amount, Currency
from sav_contracts.visibility import Own, Visible

InvoiceStatus = Literal["draft", "issued", "partly_paid", "paid", "credited", "discarded"]
# What keeps a draft from being right; staff are told when it is made. `certification`: a lower rate needs the client's.
# `seller_email`, `mediator`: of estimates only, what the firm has not said of itself.
# `tax_number`: that of the business which owes the VAT of building work itself.
# `above_estimate`, `above_order`: more is billed, or was done, than the client agreed to, and no manager has said why.
# `deposits_exceed`: it asks for less than the deposits that it is to deduct.
# `no_agreement`: work is billed to a consumer who accepted no estimate of it, and no manager has said why.
Lack = Literal[
    "buyer_address",
    "siren",
    "place",
    "place_abroad",
    "certification",
    "what_it_heats",
    "above_estimate",
    "seller_email",
    "mediator",
    "tax_number",
    "above_order",
    "no_agreement",
    "deposits_exceed",
]


class Seller(Message):
    """Who issues an invoice, with the data that the law requires (Code de commerce, L441-9)."""

    name: str = Field(examples=["Confort SAV"])
    address: str = Field(examples=["12 avenue Berthelot, 69007 Lyon"])
    registration: str = Field(examples=["RCS Lyon 123 456 789"])
    vat_number: str = Field(examples=["FR12123456789"])
    siren: str | None = Field(default=None, examples=["732829320"])
    email: str | None = Field(default=None, examples=["contact@example.com"])
    phone: str | None = Field(default=None, examples=["+33472000000"])
    capital: str | None = Field(default=None, examples=["SARL au capital de 10 000 €"])
    bank: Bank | None = None
    # Who insures the work and where that holds; the mediator of consumers' disputes with the site.
    insurance: str | None = Field(
        default=None, examples=["Décennale : Assur SA, Lyon, n° 4711, France entière"]
    )
    mediator: str | None = Field(default=None, examples=["Médiation Conso, www.example.org"])
    # Whether it opted to pay the VAT on services when it invoices them, not when they are paid; printed for businesses.
    vat_on_debits: bool | None = Field(default=None, examples=[True])


DEMONSTRATION = Seller(
    name="SAV Démonstration SARL",
    address="1 rue de l'Exemple, 75001 Paris",
    registration="SIREN 000 000 000",
    vat_number="FR00000000000",
    email="contact@example.com",
    mediator="Médiation Exemple, www.example.org",
)


class Buyer(Message):
    """Who is invoiced. A business has its numbers; `kind` is None on older invoices, all to private persons."""

    name: Personal[str] = Field(examples=["Léa Bernard"])
    address: Personal[str] | None = Field(examples=["3 rue des Lilas, 69003 Lyon"])
    kind: BuyerKind | None = Field(default=None, examples=["private"])
    # Of a business in France.
    siren: str | None = Field(default=None, examples=["732829320"])
    # A number of the European Union or of Tunisia.
    tax_number: str | None = Field(default=None, examples=["FR44732829320"])

    @property
    def is_business(self) -> bool:
        return self.kind == "business"

    def is_same_as(self, other: "Buyer") -> bool:
        """Whether both are the same person or firm: a firm by the numbers that both name, else by the name."""
        if self.is_business != other.is_business:
            return False
        pairs = ((self.siren, other.siren), (self.tax_number, other.tax_number))
        named = [one == another for one, another in pairs if one and another]
        return all(named) if named else self.name.casefold() == other.name.casefold()


class DeductedDeposit(Message):
    """A deposit invoice that a final invoice names and deducts, with its amounts by rate, less what was credited."""

    invoice_id: UUID
    number: str = Field(examples=["FAC-2026-000001"])
    issued_on: date = Field(examples=["2026-02-20"])
    vat: list[VatTotal]
    net: Amount = Field(examples=["55.92"])
    tax: Amount = Field(examples=["5.59"])
    total: Amount = Field(examples=["61.51"])


class Agreed(Message):
    """The accepted estimate to which an invoice keeps, and what goes beyond it."""

    estimate_id: UUID
    estimate: str = Field(examples=["DEV-2026-000001 v2"])
    # What it leaves to invoice, excluding VAT: less what was invoiced of it for another visit.
    net: Amount = Field(examples=["186.40"])
    # The same with the VAT that was agreed; older events do not say it.
    gross: Amount | None = Field(default=None, examples=["205.04"])
    # What was done and is not in it, at the prices of the visit. It is billed only where a manager adds it.
    beyond: list[LineRecorded] = Field(default=[])
    # Why more than that is billed, or why what was done beyond it is not.
    reason: str | None = Field(default=None, examples=["Vanne convenue au téléphone avec la cliente."])


class Unestimated(Message):
    """What the buyer agreed to where an invoice keeps to no estimate."""

    # What an order costs them, VAT and stamp included, as they saw it before they were bound. None: they agreed to no price.
    gross: Amount | None = Field(default=None, examples=["447.36"])
    # Why more than that is billed, or anything at all.
    reason: str | None = Field(default=None, examples=["Port express convenu avec la cliente."])


NOTHING = Decimal("0.00")


class InvoiceForClient(View):
    """An issued invoice as its client sees it.

    `balance` is what is left of `total` after deposits, credit notes and payments; where these are more, `overpaid` is
    what the client has too much.
    """

    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    client_id: PersonId
    intervention_id: UUID | None
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    # None while it is a draft: issuing it draws the number.
    number: Annotated[str | None, ComparedAs(Reference)] = Field(examples=["FAC-2026-000001"])
    status: InvoiceStatus
    currency: Currency
    seller: Seller
    buyer: Buyer
    supplied_on: date = Field(examples=["2026-03-05"])
    issued_on: date | None = Field(examples=["2026-03-06"])
    due_on: date | None = Field(examples=["2026-04-05"])
    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Amount = Field(examples=["186.40"])
    tax: Amount = Field(examples=["18.64"])
    total: Amount = Field(examples=["205.04"])
    paid: Amount = Field(examples=["0.00"])
    balance: Amount = Field(examples=["205.04"])
    mentions: list[str] = Field(examples=[["Pas d'escompte pour paiement anticipé."]])
    # The PDF, once it has been made.
    document: StoredFile | None
    # The order that was shipped, where it is for one.
    order_id: UUID | None = None
    order_reference: str | None = Field(default=None, examples=["CMD-2026-000001"])
    # What is taken off the whole; `net` is without it.
    discount: Discount | None = None
    # A duty on the paper itself, outside the base of VAT.
    stamp: Amount | None = Field(default=None, examples=["1.00"])
    # Whether it is a deposit invoice (type 386): asked for before the work, deducted from the final invoice.
    deposit: bool = False
    # The deposits that it deducts, and their sum including VAT.
    deposits: list[DeductedDeposit] = Field(default=[])
    deducted: Amount = Field(default=NOTHING, examples=["0.00"])
    # The final invoice that deducts this deposit.
    deducted_in: UUID | None = None
    # The sum of its credit notes, including VAT.
    credited: Amount = Field(default=NOTHING, examples=["0.00"])
    overpaid: Amount = Field(default=NOTHING, examples=["0.00"])
    # Whether something is left to pay and the due day is over.
    overdue: bool = False

    @property
    def payable(self) -> Decimal:
        """What it asks for: the total less the deposits that it deducts, including VAT."""
        return self.total - self.deducted


class InvoiceView(InvoiceForClient):
    """An invoice as managers see it. `hash` chains it to the one before it in its series."""

    hash: str | None = Field(examples=["4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c"])
    previous_hash: str | None = Field(
        examples=["a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6"]
    )
    reason: str | None = Field(examples=["Geste commercial."])
    # What its VAT depends on; None on invoices from before it was recorded.
    supply: Supply | None = None
    # What a draft lacks.
    lacks: list[Lack] = Field(default=[], examples=[["buyer_address"]])
    # How often the client was reminded of it.
    reminders: int = 0
    agreed: Agreed | None = None
    # Where it keeps to no estimate, and what was agreed to is known.
    unestimated: Unestimated | None = None

    def for_client(self) -> InvoiceForClient | None:
        return None if self.status in {"draft", "discarded"} else self.narrowed_to(InvoiceForClient)

    def is_open(self) -> bool:
        return self.status in {"draft", "issued", "partly_paid"}

    def timeline_roots(self) -> frozenset[UUID]:
        named = {self.id, self.intervention_id, self.reclamation_id, self.order_id}
        return frozenset(root for root in named if root)


class ChangeInvoice(Command[InvoiceView]):
    """Complete a draft: its lines, what is taken off, its buyer, or what its VAT depends on.

    `certified` says that the client certified what a lower rate depends on. `discount` is removed by null.
    `above_estimate` says why more is billed than the client agreed to, by an estimate or an order, why work is
    billed without an agreement, or why work beyond their estimate is not billed.
    """

    invoice_id: UUID
    lines: Annotated[list[LineGiven], Field(min_length=1, max_length=60)] | None = None
    buyer_name: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    buyer_address: Personal[Line] | None = Field(default=None, examples=["3 rue des Lilas, 69003 Lyon"])
    # A private person has no numbers: they are removed. A number makes the buyer a business.
    buyer_kind: BuyerKind | None = Field(default=None, examples=["private"])
    buyer_siren: Siren | None = None
    buyer_tax_number: TaxNumber | None = None
    discount: DiscountGiven | None = None
    certified: bool | None = None
    supply: SupplyGiven | None = None
    above_estimate: Reason | None = Field(
        default=None, examples=["Vanne convenue au téléphone avec la cliente."]
    )


class BillVisit(Command[InvoiceView]):
    """Draft the invoice of a visit anew, after the one before was credited as a whole, or its draft discarded.

    It is what the visit would be billed today, to be completed like any draft. Once issued, it names the one whose place
    it takes.
    """

    intervention_id: UUID


class DiscardInvoice(Command[InvoiceView]):
    """Discard a draft. It is kept, and no number is lost."""

    invoice_id: UUID
    reason: Reason = Field(examples=["Geste commercial."])


class IssueInvoice(Command[InvoiceView]):
    """Issue a draft: it gets its number and can no longer be changed."""

    invoice_id: UUID


class InvoiceDrafted(Event[InvoiceView]):
    """An amount that no warranty pays waits to be invoiced."""


InvoiceChanged = Changed[InvoiceView]


class InvoiceDiscarded(Event[InvoiceView]):
    """A draft was discarded."""

    reason: str = Field(examples=["Geste commercial."])


class DepositLeftOver(Event[InvoiceView]):
    """A deposit asks for what nobody owes in the end: it is to be credited.

    Where `most` is said, a warranty pays for a part of the work since, and the deposits of the case may be no more than that,
    VAT included; else nothing is billed of it.
    """

    most: Amount | None = Field(default=None, examples=["51.00"])


class InvoiceIssued(Event[InvoiceView]):
    """An invoice got its number and no longer changes."""

    client_sees: ClassVar[bool] = True

    # Until the end of that day the law forbids to take money for it: its contract was concluded at the client's home.
    too_early_until: date | None = Field(default=None, examples=["2026-03-12"])


class InvoicePaid(Event[InvoiceView]):
    """An invoice is paid in full."""

    client_sees: ClassVar[bool] = True
