"""Messages to clients and managers about products, proofs of purchase and stock."""

from datetime import date
from typing import Self

from sav_chassis.tx import Tx
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductVerified, ProductView, ProofSubmitted, WarrantyChanged
from sav_contracts.catalog.stock import StockLow
from sav_contracts.catalog.warranty import CoverKind
from sav_notifier.message import Message, message
from sav_notifier.recipients import client, its_client, managers


@message(
    "proof_to_verify",
    on={ProofSubmitted: "ask_to_verify"},
    to=managers,
    category="reclamation",
)
class ProofToVerify(Message):
    """Managers have a proof of purchase to look at."""

    client: str
    article: str
    serial: str

    @classmethod
    async def about(cls, event: ProofSubmitted, tx: Tx) -> Self:
        product = event.state
        who = await client(tx, product.client_id)
        return cls(client=who.name, article=product.article, serial=product.serial)

    def true_while(self, record: ProductView) -> bool:
        return record.proof_state == "submitted"


@message(
    "proof_accepted",
    on={ProductVerified: "answer_proof"},
    to=its_client,
    category="reclamation",
)
class ProofAccepted(Message):
    """The client learns until when the product is under warranty."""

    article: str
    serial: str
    until: date | None
    over: bool
    # The other professional who owes the legal guarantee.
    seller: str | None = None

    @classmethod
    async def about(cls, event: ProductVerified, tx: Tx) -> Self | str:
        product = event.state
        if not event.accepted:
            return "it was refused"
        if product.replaced_by_id:
            return "the client is told of the unit in its place"
        until = max((cover.end for cover in product.covers if not cover.voided_at), default=None)
        over = until is not None and until < product.place.day(tx.now)
        seller = product.warranty_at(tx.now).owed_by
        return cls(article=product.article, serial=product.serial, until=until, over=over, seller=seller)


@message(
    "proof_refused",
    on={ProductVerified: "answer_proof"},
    to=its_client,
    category="reclamation",
)
class ProofRefused(Message):
    """The client learns what is wrong with the proof."""

    article: str
    serial: str
    reason: str | None

    @classmethod
    async def about(cls, event: ProductVerified, tx: Tx) -> Self | str:
        product = event.state
        if event.accepted:
            return "it was accepted"
        if product.replaced_by_id:
            return "the client is told of the unit in its place"
        return cls(article=product.article, serial=product.serial, reason=event.reason)


@message(
    "warranty_changed",
    on={WarrantyChanged: "tell_new_warranty"},
    to=its_client,
    category="reclamation",
)
class NewWarranty(Message):
    """The client learns what changed in the warranty of a unit, and until when it is covered now."""

    article: str
    serial: str
    cause: str
    until: date | None
    cover: CoverKind | None = None
    # What the cover that was added pays, in percent of parts, labour and travel.
    shares: tuple[int, int, int] | None = None
    exclusions: str | None = None
    new_serial: str | None = None
    # The other professional who owes the legal guarantee.
    seller: str | None = None

    @classmethod
    async def about(cls, event: WarrantyChanged, tx: Tx) -> Self | str:
        product = event.state
        if event.until and event.until < product.place.day(tx.now):
            return "it is over all the same"
        added = product.covers[-1] if event.cause == "cover_added" and product.covers else None
        return cls(
            article=product.article,
            serial=product.serial,
            cause=event.cause,
            until=event.until,
            cover=event.cover,
            shares=(added.parts, added.labour, added.travel) if added else None,
            exclusions=added.exclusions if added else None,
            new_serial=event.new_serial,
            seller=product.warranty_at(tx.now).owed_by,
        )

    def true_while(self, record: ProductView) -> bool:
        return self.cause == "replaced" or record.replaced_by_id is None


@message(
    "stock_low",
    on={StockLow: "report_low_stock"},
    to=managers,
    category="alert",
)
class LowStock(Message):
    """Managers learn what is to be ordered."""

    article: str
    reference: str
    level: int
    minimum: int
    reserved: int = 0

    @classmethod
    async def about(cls, event: StockLow, tx: Tx) -> Self:
        stock = event.state
        article = await tx.view(ArticleView, stock.article_id)
        return cls(
            article=article.name,
            reference=stock.reference,
            level=stock.level,
            minimum=stock.minimum_stock,
            reserved=stock.reserved,
        )
