"""What clients and managers are told about products, proofs of purchase and stock."""

from sav_chassis.tx import Tx
from sav_contracts.catalog.article import ArticleView, StockLow
from sav_contracts.catalog.product import ProductVerified, ProofSubmitted
from sav_notifier.app import notifier
from sav_notifier.people import client, managers
from sav_notifier.telling import tell


@notifier.on(ProofSubmitted)
async def ask_to_verify(event: ProofSubmitted, tx: Tx) -> None:
    """Managers have a proof of purchase to look at."""
    product = event.state
    await tell(
        tx,
        event,
        await managers(tx),
        "proof_to_verify",
        "reclamation",
        client=(await client(tx, product.client_id)).name,
        article=product.article,
        serial=product.serial,
    )


@notifier.on(ProductVerified)
async def answer_proof(event: ProductVerified, tx: Tx) -> None:
    """The client learns until when the product is under warranty, or what is wrong with the proof."""
    product = event.state
    until = max((cover.end for cover in product.covers), default=None)
    await tell(
        tx,
        event,
        [await client(tx, product.client_id)],
        "proof_accepted" if event.accepted else "proof_refused",
        "reclamation",
        article=product.article,
        serial=product.serial,
        reason=event.reason,
        until=until,
        over=until is not None and until < tx.now.date(),
    )


@notifier.on(StockLow)
async def report_low_stock(event: StockLow, tx: Tx) -> None:
    """Managers learn what is to be ordered."""
    stock = event.state
    article = await tx.view(ArticleView, stock.article_id)
    await tell(
        tx,
        event,
        await managers(tx),
        "stock_low",
        "alert",
        article=article.name,
        reference=stock.reference,
        level=stock.level,
        minimum=stock.minimum_stock,
    )
