"""Registering products, and the proof of purchase."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import exists, select

from sav_catalog.app import catalog
from sav_catalog.covers import commercial_covers, legal_cover
from sav_catalog.model import Article, Product
from sav_catalog.settings import firm
from sav_chassis.errors import Conflict, NamesNothing, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.article import IN_CATALOGUE
from sav_contracts.catalog.product import (
    ChangeProduct,
    ProductChanged,
    ProductRegistered,
    ProductVerified,
    ProofSubmitted,
    RegisterProduct,
    SendProof,
    VerifyProduct,
)
from sav_contracts.catalog.warranty import Cover
from sav_contracts.claims.client import ClientView
from sav_contracts.labels import label

# What the proof shows beside the dates.
PROVEN = {"sold_by", "consumer", "second_hand"}
# The first time zone to begin a day (UTC+14): a date after today there is in the future everywhere.
EARLIEST_ZONE = timedelta(hours=14)


class SerialTaken(Conflict):
    """A product of this article with this serial number is registered; the refusal does not say whose."""

    code = "serial_taken"
    en = "This serial number is registered already: check it, and write to us if it is on your appliance"
    fr = "Ce numéro de série est déjà enregistré : vérifiez-le, et écrivez-nous s’il figure bien sur votre appareil"


class AnotherProof(Conflict):
    """The client has sent a newer proof than the one the manager looked at."""

    code = "another_proof"
    en = "Another proof was sent since: look at that one"
    fr = "Une autre preuve d’achat a été envoyée depuis : examinez celle-là"


class IsPart(WrongField):
    field: str = "article_id"
    name: str
    en = "{name} is a part: register what it is built into"
    fr = "{name} est une pièce : enregistrez l’appareil dans lequel elle est montée"


class NoLongerSold(WrongField):
    field: str = "article_id"
    reference: str
    en = "article {reference} is out of the catalogue: no product of it can be registered any more"
    fr = "l’article {reference} n’est plus au catalogue : il n’est plus possible d’en enregistrer un produit"


class WhyRefused(WrongField):
    field: str = "reason"
    en = "say why the proof is refused"
    fr = "indiquez pourquoi la preuve d’achat est refusée"


class WhyCorrected(WrongField):
    field: str = "reason"
    en = "say why an accepted proof is corrected"
    fr = "indiquez pourquoi une preuve d’achat déjà acceptée est corrigée"


class DatesOfRefusedProof(WrongField):
    en = "dates are taken from an accepted proof only"
    fr = "seules les dates d’une preuve d’achat acceptée sont reprises"


class ForWhichClient(WrongField):
    field: str = "client_id"
    en = "say for which client"
    fr = "indiquez pour quel client"


class DayToCome(WrongField):
    en = "this day is still to come"
    fr = "cette date est encore à venir"


class DeliveredTooEarly(WrongField):
    field: str = "delivery_date"
    purchase: date
    en = "it was bought only on {purchase}"
    fr = "l’achat ne date que du {purchase}"


class CommissionedTooEarly(WrongField):
    field: str = "commissioning_date"
    delivery: date
    en = "it was delivered only on {delivery}"
    fr = "la livraison ne date que du {delivery}"


@catalog.command(RegisterProduct)
async def register_product(cmd: RegisterProduct, tx: Tx, by: Actor) -> Product:
    """Register an installed product: a client for themselves, a manager for a client. Old installations too."""
    client = await tx.view(ClientView, _whose(cmd, by), by)
    delivery = cmd.delivery_date or cmd.purchase_date
    check_dates(tx, cmd.purchase_date, delivery, cmd.commissioning_date)
    article = await registrable(tx, cmd.article_id)
    await check_serial(tx, article, cmd.serial)
    product = tx.add(
        Product(
            id=tx.new_id(),
            client_id=client.id,
            article_id=article.id,
            article=article.name,
            family=article.family,
            serial=cmd.serial,
            place=cmd.place,
            purchase_date=cmd.purchase_date,
            delivery_date=delivery,
            commissioning_date=cmd.commissioning_date,
            proof_state="none",
            covers=[],
            sold_by=firm().another(cmd.sold_by),
            consumer=cmd.consumer,
            second_hand=cmd.second_hand,
        )
    )
    product.plan_service(article, tx.now)
    tx.emit(product, ProductRegistered())
    if cmd.proof:
        product.submit(cmd.proof, by)
        tx.emit(product, ProofSubmitted())
    return product


@catalog.command(ChangeProduct)
async def change_product(cmd: ChangeProduct, tx: Tx, by: Actor) -> Product:
    """Change where the product is installed, or how to get there."""
    product = await tx.load(Product, cmd.product_id, by)
    product.place = cmd.place
    tx.emit(product, ProductChanged())
    return product


@catalog.command(SendProof)
async def send_proof(cmd: SendProof, tx: Tx, by: Actor) -> Product:
    """Send a proof of purchase; it may be replaced until one is accepted."""
    product = await tx.load(Product, cmd.product_id, by)
    product.submit(cmd.proof, by)
    tx.emit(product, ProofSubmitted())
    return product


@catalog.command(VerifyProduct)
async def verify_product(cmd: VerifyProduct, tx: Tx, by: Actor) -> Product:
    """Accept the proof of purchase with what it shows, or refuse it with a reason. Accepting again corrects it."""
    *earlier, product = [await tx.load(Product, id, by) for id in await _places(cmd.product_id, tx)]
    if product.proof and product.proof.sha256 != cmd.proof:
        raise AnotherProof
    if cmd.accepted and product.proof_state == "accepted" and cmd.reason is None:
        raise WhyCorrected
    if cmd.accepted:
        await _accept(cmd, product, tx, by)
    elif cmd.reason is None:
        raise WhyRefused
    elif given := cmd.model_fields_set & ({"purchase_date", "delivery_date", "commissioning_date"} | PROVEN):
        raise DatesOfRefusedProof(field=min(given))
    else:
        product.refuse(cmd.reason, by)
    tx.emit(product, ProductVerified(accepted=cmd.accepted, reason=cmd.reason))
    for before in earlier:
        await _answer_before(before, product, tx, by)
    return product


async def _places(id: UUID, tx: Tx) -> list[UUID]:
    """This unit after those whose places it took, whose ids are earlier: in the order in which units are locked."""
    ids = [id]
    while before := await tx.session.scalar(select(Product.replaces_id).where(Product.id == ids[0])):
        ids.insert(0, before)
    return ids


async def _answer_before(before: Product, product: Product, tx: Tx, by: Actor) -> None:
    """The answer to the proof of a sale holds for the unit before, too: its visits and réclamations wait for it."""
    bought_by_itself = before.replaced_on and product.purchase_date >= before.replaced_on
    if bought_by_itself or before.proof_state == "accepted" or product.proof is None:
        return
    before.submit(product.proof, by)
    if product.proof_state == "accepted":
        before.purchase_date = product.purchase_date
        before.delivery_date = max(before.delivery_date, product.purchase_date)
        before.sold_by, before.consumer = product.sold_by, product.consumer
        before.second_hand = before.second_hand or product.second_hand
        article = await tx.session.get_one(Article, before.article_id)
        before.accept(covers_of_sale(before, article, tx), product.proof_reason, by)
    elif product.proof_reason:
        before.refuse(product.proof_reason, by)
    tx.emit(before, ProductVerified(accepted=product.proof_state == "accepted", reason=product.proof_reason))


async def _accept(cmd: VerifyProduct, product: Product, tx: Tx, by: Actor) -> None:
    product.check_in_place()
    purchase = cmd.purchase_date or product.purchase_date
    # A product delivered on the day of purchase keeps that, also where the proof corrects the day.
    at_once = product.delivery_date == product.purchase_date
    delivery = cmd.delivery_date or (purchase if at_once else product.delivery_date)
    commissioning = cmd.commissioning_date or product.commissioning_date
    check_dates(tx, purchase, delivery, commissioning)
    product.purchase_date, product.delivery_date, product.commissioning_date = (
        purchase,
        delivery,
        commissioning,
    )
    if product.guaranteed_from and purchase > product.guaranteed_from:
        # It was bought after the unit whose place it took: who says its delivery, too, says that it is a sale of its own.
        product.guaranteed_from = None if cmd.delivery_date else purchase
    if "sold_by" in cmd.model_fields_set:
        product.sold_by = firm().another(cmd.sold_by)
    if cmd.consumer is not None:
        product.consumer = cmd.consumer
    if cmd.second_hand is not None:
        product.second_hand = cmd.second_hand
    article = await tx.session.get_one(Article, product.article_id)
    product.plan_service(article, tx.now)
    product.accept(covers_of_sale(product, article, tx), cmd.reason, by)


def covers_of_sale(product: Product, article: Article, tx: Tx) -> Iterator[Cover]:
    """What we owe as the seller; nothing where another sold it."""
    if product.sold_by:
        return
    if product.consumer:
        start = product.guaranteed_from or product.delivery_date
        yield legal_cover(tx.new_id(), product.purchase_date, start, product.second_hand)
    months = article.warranty_parts_months, article.warranty_labour_months
    yield from commercial_covers(tx.new_id, product.purchase_date, *months)


def _whose(cmd: RegisterProduct, by: Actor) -> UUID:
    if cmd.client_id:
        return cmd.client_id
    if by.role is Role.CLIENT:
        return by.id
    raise ForWhichClient


def check_dates(tx: Tx, purchase: date, delivery: date, commissioning: date | None = None) -> None:
    """Raises `WrongField` unless the days are past and in the order purchase, delivery, commissioning."""
    today = (tx.now + EARLIEST_ZONE).date()
    days = {"purchase_date": purchase, "delivery_date": delivery, "commissioning_date": commissioning}
    for field, day in days.items():
        if day and day > today:
            raise DayToCome(field=field)
    if delivery < purchase:
        raise DeliveredTooEarly(purchase=purchase)
    if commissioning and commissioning < delivery:
        raise CommissionedTooEarly(delivery=delivery)


async def registrable(tx: Tx, article_id: UUID) -> Article:
    """The article of a unit that is registered; raises `NamesNothing`, `IsPart` or `NoLongerSold`."""
    # Nobody retires it meanwhile.
    article = await tx.session.get(Article, article_id, with_for_update={"read": True})
    if article is None:
        raise NamesNothing(field="article_id", kind=label(Article.kind()), id=article_id)
    if article.family == "part":
        raise IsPart(name=article.name)
    if article.status not in IN_CATALOGUE:
        raise NoLongerSold(reference=article.reference)
    return article


async def check_serial(tx: Tx, article: Article, serial: str) -> None:
    """Raises `SerialTaken` where a unit of this article with this serial number is registered."""
    same = Product.article_id == article.id, Product.serial == serial
    if await tx.session.scalar(select(exists().where(*same))):
        raise SerialTaken
