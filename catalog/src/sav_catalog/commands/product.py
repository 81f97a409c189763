"""Registering products, and proving when they were bought."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select

from sav_catalog.app import catalog
from sav_catalog.covers import covers_of
from sav_catalog.model import Article, Product
from sav_chassis.errors import Conflict, Invalid, NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
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
from sav_contracts.claims import ClientView

# Where a day begins first (UTC+14): only what comes after today there is to come for everybody.
EARLIEST_ZONE = timedelta(hours=14)


class SerialTaken(Conflict):
    """A product of this article with this serial number is registered; whose it is stays untold."""

    code = "serial_taken"


class AnotherProof(Conflict):
    """The client sent another proof than the one that was looked at."""

    code = "another_proof"


@catalog.command(RegisterProduct)
async def register_product(cmd: RegisterProduct, tx: Tx, by: Actor) -> Product:
    """Register what is installed, for oneself or, as a manager, for a client; old installations too."""
    client = await tx.view(ClientView, _whose(cmd, by))
    delivery = cmd.delivery_date or cmd.purchase_date
    _check_dates(tx, cmd.purchase_date, delivery, cmd.commissioning_date)
    article = await tx.session.get(Article, cmd.article_id)
    if article is None:
        raise Invalid.field("article_id", f"there is no article {cmd.article_id}")
    if article.family == "part":
        raise Invalid.field("article_id", f"{article.name} is a part: register what it is built into")
    serial = " ".join(cmd.serial.split())
    await _check_serial(tx, article, serial)
    product = tx.add(
        Product(
            id=tx.new_id(),
            client_id=client.id,
            article_id=article.id,
            article=article.name,
            family=article.family,
            serial=serial,
            place=cmd.place,
            purchase_date=cmd.purchase_date,
            delivery_date=delivery,
            commissioning_date=cmd.commissioning_date,
            proof_state="none",
            covers=[],
        )
    )
    tx.emit(ProductRegistered, product)
    if cmd.proof:
        product.submit(cmd.proof, by)
        tx.emit(ProofSubmitted, product)
    return product


@catalog.command(ChangeProduct)
async def change_product(cmd: ChangeProduct, tx: Tx, by: Actor) -> Product:
    """Change where it stands, or how to get there."""
    product = await tx.load(Product, cmd.product_id, by)
    product.place = cmd.place
    tx.emit(ProductChanged, product)
    return product


@catalog.command(SendProof)
async def send_proof(cmd: SendProof, tx: Tx, by: Actor) -> Product:
    """Send a proof of purchase; another one until one is accepted."""
    product = await tx.load(Product, cmd.product_id, by)
    product.submit(cmd.proof, by)
    tx.emit(ProofSubmitted, product)
    return product


@catalog.command(VerifyProduct)
async def verify_product(cmd: VerifyProduct, tx: Tx, by: Actor) -> Product:
    """Accept the proof of purchase, with the dates that stand on it, or refuse it with a reason."""
    product = await tx.load(Product, cmd.product_id, by)
    if product.proof and product.proof.sha256 != cmd.proof:
        raise AnotherProof("another proof was sent since: look at that one")
    if cmd.accepted:
        await _accept(cmd, product, tx, by)
    elif cmd.reason is None:
        raise Invalid.field("reason", "say why the proof is refused")
    elif given := cmd.model_fields_set & {"purchase_date", "delivery_date"}:
        raise Invalid.field(min(given), "dates are taken from an accepted proof only")
    else:
        product.refuse(cmd.reason, by)
    tx.emit(ProductVerified, product, accepted=cmd.accepted, reason=cmd.reason)
    return product


async def _accept(cmd: VerifyProduct, product: Product, tx: Tx, by: Actor) -> None:
    purchase = cmd.purchase_date or product.purchase_date
    # What was delivered when it was bought still was, on the day that is right.
    at_once = product.delivery_date == product.purchase_date
    delivery = cmd.delivery_date or (purchase if at_once else product.delivery_date)
    _check_dates(tx, purchase, delivery)
    article = await tx.session.get_one(Article, product.article_id)
    months = article.warranty_parts_months, article.warranty_labour_months
    product.accept(covers_of(purchase, delivery, *months), cmd.reason, by)
    product.purchase_date, product.delivery_date = purchase, delivery


def _whose(cmd: RegisterProduct, by: Actor) -> UUID:
    if by.role is Role.CLIENT and cmd.client_id in (None, by.id):
        return by.id
    if by.role is Role.CLIENT:
        raise NotFound(f"there is no client {cmd.client_id}")
    if cmd.client_id is None:
        raise Invalid.field("client_id", "say for which client")
    return cmd.client_id


def _check_dates(tx: Tx, purchase: date, delivery: date, commissioning: date | None = None) -> None:
    """What is installed has been bought, delivered, and then perhaps commissioned."""
    today = (tx.now + EARLIEST_ZONE).date()
    days = {"purchase_date": purchase, "delivery_date": delivery, "commissioning_date": commissioning}
    for field, day in days.items():
        if day and day > today:
            raise Invalid.field(field, "this day is still to come")
    if delivery < purchase:
        raise Invalid.field("delivery_date", f"it was bought only on {purchase}")
    if commissioning and commissioning < delivery:
        raise Invalid.field("commissioning_date", f"it was delivered only on {delivery}")


async def _check_serial(tx: Tx, article: Article, serial: str) -> None:
    # However the number is spaced and capitalised, it is the same plate.
    same = func.lower(func.replace(Product.serial, " ", "")) == func.lower(serial.replace(" ", ""))
    if await tx.session.scalar(select(exists().where(Product.article_id == article.id, same))):
        raise SerialTaken(
            "this serial number is registered already: check it, and write to us if it is on your appliance"
        )
