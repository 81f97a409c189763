"""Orders of parts: placed, decided, shipped, received, cancelled."""

from uuid import UUID

from sqlalchemy import Sequence

from sav_chassis.errors import Conflict, NotAllowed, RecordTooLarge, WrongField
from sav_chassis.shared_refusals import MOST, AmountTooLarge
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.parts import PartRetired, under_way
from sav_claims.model import Client, Reclamation
from sav_claims.orders import PartsOrder, PlacedLine
from sav_claims.sales import check_invoiced, count_from_receipt, right_of_buyer, sale_to, today
from sav_claims.settings import firm
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims.order import (
    CancelOrder,
    OrderCancelled,
    OrderPlaced,
    OrderReceived,
    OrderRefused,
    OrderShipped,
    OrderStatus,
    OrderValidated,
    PlaceOrder,
    ReceiveOrder,
    RefuseOrder,
    ShipOrder,
    ValidateOrder,
)
from sav_contracts.labels import label

REFERENCES = Sequence("parts_order_reference")
# Bytes of an order. What becomes of it later still fits into its events then (`envelope.MAX_BODY`).
LARGEST = 26_000


class WrongPurpose(WrongField):
    field: str = "purpose"
    en = "a client orders as a purchase, a technician for a repair"
    fr = "un client commande pour un achat, un technicien pour une réparation"


class SeveralCurrencies(Conflict):
    """An order has one currency."""

    code = "several_currencies"
    en = "An order has one currency: order what is sold in another one apart"
    fr = "Une commande est dans une seule devise : commandez à part ce qui se vend dans une autre"


class NotTheirOrder(NotAllowed):
    reference: str
    en = "Only whoever placed order {reference}, or a manager, may do this"
    fr = "Seuls la personne qui a passé la commande {reference} et les responsables SAV peuvent le faire"


class WhyCancelled(WrongField):
    field: str = "reason"
    en = "say why: whoever ordered is told"
    fr = "indiquez pourquoi : la personne qui a commandé en est informée"


@claims.command(PlaceOrder)
async def place_order(cmd: PlaceOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Order parts: a client as a purchase, a technician for a réclamation that is theirs and under way."""
    reclamation = await under_way(cmd.reclamation_id, tx, by) if cmd.reclamation_id else None
    if (cmd.purpose == "repair") != (by.role is Role.TECHNICIAN):
        raise WrongPurpose
    buyer = None if reclamation else await tx.load(Client, by.id, by)
    articles = await _articles(cmd, tx)
    order_id, covered = tx.new_id(), _covered(reclamation)
    order = PartsOrder(
        id=order_id,
        reference=await _reference(tx),
        purpose=cmd.purpose,
        client_id=reclamation.client_id if reclamation else by.id,
        technician_id=by.id if reclamation else None,
        reclamation_id=reclamation.id if reclamation else None,
        reclamation_reference=reclamation.reference if reclamation else None,
        lines=tuple(
            PlacedLine.of(article, line.quantity, covered, order_id)
            for article, line in zip(articles, cmd.lines, strict=True)
        ),
        currency=articles[0].currency,
        status="placed",
    )
    _check_invoiced(order)
    if order.net > MOST:
        raise AmountTooLarge(field="lines")
    if buyer:
        order.gross = order.priced(sale_to(buyer, tx), firm().law)
        order.withdrawal = right_of_buyer(today(tx))
    tx.emit(tx.add(order), OrderPlaced())
    if len(order.view().model_dump_json().encode()) > LARGEST:
        raise RecordTooLarge(kind=label(order.kind()), largest=LARGEST)
    return order


@claims.command(ValidateOrder)
async def validate_order(cmd: ValidateOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Validate an order; what the warranty pays of a repair's is as the réclamation says now."""
    order = await _moved(cmd.order_id, "validated", tx, by)
    _check_invoiced(order)
    if order.reclamation_id:
        covered = _covered(await tx.session.get(Reclamation, order.reclamation_id))
        order.lines = tuple(line.now(covered=covered) for line in order.lines)
    tx.emit(order, OrderValidated())
    return order


@claims.command(RefuseOrder)
async def refuse_order(cmd: RefuseOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Refuse an order that nobody has validated."""
    order = await _moved(cmd.order_id, "refused", tx, by)
    order.reason = cmd.reason
    tx.emit(order, OrderRefused(reason=cmd.reason))
    return order


@claims.command(ShipOrder)
async def ship_order(cmd: ShipOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Ship an order of which all pieces are reserved."""
    order = await _moved(cmd.order_id, "shipped", tx, by)
    # An order from before this was checked: whoever ships it is told, instead of nobody.
    _check_invoiced(order)
    tx.emit(order, OrderShipped())
    return order


@claims.command(ReceiveOrder)
async def receive_order(cmd: ReceiveOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Confirm that what was shipped has arrived."""
    order = await _moved(cmd.order_id, "received", tx, by)
    await count_from_receipt(order, tx)
    tx.emit(order, OrderReceived())
    return order


@claims.command(CancelOrder)
async def cancel_order(cmd: CancelOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Cancel an order; a manager says why."""
    order = await _moved(cmd.order_id, "cancelled", tx, by)
    if cmd.reason is None and by.role is Role.MANAGER:
        raise WhyCancelled
    order.reason = cmd.reason
    tx.emit(order, OrderCancelled(by=by.role, reason=cmd.reason))
    return order


def _check_invoiced(order: PartsOrder) -> None:
    if order.purpose == "purchase":
        check_invoiced(order.currency)


async def _moved(id: UUID, to: OrderStatus, tx: Tx, by: Actor) -> PartsOrder:
    order = await tx.load(PartsOrder, id, by)
    if not order.is_of(by):
        raise NotTheirOrder(reference=order.reference)
    order.move(to, by)
    return order


async def _articles(cmd: PlaceOrder, tx: Tx) -> list[ArticleView]:
    articles = [await tx.view(ArticleView, line.article_id) for line in cmd.lines]
    for number, article in enumerate(articles):
        if article.status == "retired":
            raise PartRetired(field=f"lines.{number}.article_id", name=article.name)
    if len({article.currency for article in articles}) > 1:
        raise SeveralCurrencies
    return articles


async def _reference(tx: Tx) -> str:
    return f"CMD-{today(tx).year}-{await tx.session.scalar(REFERENCES):06}"


def _covered(reclamation: Reclamation | None) -> int | None:
    """What the warranty pays of the parts of a repair, in percent; None where that is not decided. Nothing of a purchase."""
    return reclamation.covered_parts if reclamation else 0
