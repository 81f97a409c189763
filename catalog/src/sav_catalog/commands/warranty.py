"""Covers that managers add or void, and units that take another's place."""

from datetime import date
from typing import Any, Literal

from sav_catalog.app import catalog
from sav_catalog.commands.product import check_dates, check_serial, covers_of_sale, registrable
from sav_catalog.covers import legal_cover
from sav_catalog.model import Article, Product
from sav_catalog.repairs import recount
from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import (
    AddCover,
    ProductRegistered,
    ReplaceProduct,
    VoidCover,
    WarrantyChanged,
)
from sav_contracts.catalog.warranty import Cover, legal_guarantee, months_after

# Why another unit takes a place: we imposed it under the legal guarantee, the client chose it, or bought it from us.
Ground = Literal["imposed", "chosen", "bought"]


class DeliveredBeforeOld(WrongField):
    field: str = "delivery_date"
    delivery: date
    en = "the unit that it replaces was delivered only on {delivery}"
    fr = "l’appareil qu’il remplace n’a été livré que le {delivery}"


@catalog.command(AddCover)
async def add_cover(cmd: AddCover, tx: Tx, by: Actor) -> Product:
    """Add a cover to a product, with a reason."""
    product = await tx.load(Product, cmd.product_id, by)
    cover = Cover(id=tx.new_id(), **cmd.model_dump(exclude={"product_id"}))
    product.add_cover(cover)
    tx.emit(
        product,
        WarrantyChanged(cause="cover_added", cover=cover.kind, until=cover.end, reason=cmd.reason),
    )
    return product


@catalog.command(VoidCover)
async def void_cover(cmd: VoidCover, tx: Tx, by: Actor) -> Product:
    """Void a cover, with a reason."""
    product = await tx.load(Product, cmd.product_id, by)
    voided = product.void_cover(cmd.cover_id, cmd.reason, tx.now)
    tx.emit(
        product,
        WarrantyChanged(
            cause="cover_voided", cover=voided.kind, until=product.covered_until(), reason=cmd.reason
        ),
    )
    return product


@catalog.command(ReplaceProduct)
async def replace_product(cmd: ReplaceProduct, tx: Tx, by: Actor) -> Product:
    """Register the unit that takes a product's place; its covers follow from who chose to replace."""
    old = await tx.load(Product, cmd.product_id, by)
    old.check_in_place()
    check_dates(tx, old.purchase_date, cmd.delivery_date)
    if cmd.delivery_date < old.delivery_date:
        raise DeliveredBeforeOld(delivery=old.delivery_date)
    if cmd.article_id and cmd.article_id != old.article_id:
        article = await registrable(tx, cmd.article_id)
    else:
        # It may be out of the catalogue by now: one was left.
        article = await tx.session.get_one(Article, old.article_id)
    await check_serial(tx, article, cmd.serial)
    old.replaced_on = cmd.delivery_date
    await recount(old, tx)
    ground: Ground = "imposed" if cmd.imposed else "chosen"
    if _has_nothing_left(old, cmd.delivery_date):
        ground = "bought"
    return await put_in_place(old, article, cmd.serial, cmd.delivery_date, ground, cmd.reason, tx)


async def put_in_place(
    old: Product,
    article: Article,
    serial: str,
    delivery: date,
    ground: Ground,
    reason: str | None,
    tx: Tx,
) -> Product:
    """The unit with this serial number, in the place of the old one.

    Where that was `imposed` under the legal guarantee, this begins anew. One that was `bought` has the guarantees of
    any sale (L217-3), and what managers added.
    """
    old.replaced_on = delivery
    await recount(old, tx)
    bought = ground == "bought"
    restarts = ground == "imposed" and _is_under_legal_guarantee(old, delivery)
    new = tx.add(
        Product(
            id=tx.new_id(),
            client_id=old.client_id,
            article_id=article.id,
            article=article.name,
            family=article.family,
            serial=serial,
            place=old.place,
            delivery_date=delivery,
            consumer=old.consumer,
            replaces_id=old.id,
            **(_bought(old, delivery) if bought else _carried_on(old, restarts, delivery, tx)),
        )
    )
    if bought:
        new.covers = [*new.covers, *covers_of_sale(new, article, tx)]
    new.follow(old.repairs)
    new.plan_service(article, tx.now)
    await tx.flush()  # the new unit is there before the old one refers to it
    old.replaced_by_id, old.next_service_due = new.id, None
    tx.emit(new, ProductRegistered())
    tx.emit(
        old,
        WarrantyChanged(cause="replaced", until=new.covered_until(), new_serial=new.serial, reason=reason),
    )
    return new


def _bought(old: Product, on: date) -> dict[str, Any]:
    """The sale of a unit that the client bought from us on this day, which needs no other proof."""
    return {
        "purchase_date": on,
        "proof_state": "accepted",
        "covers": [cover for cover in old.covers if cover.months is None and not cover.voided_at],
        "second_hand": False,
    }


def _carried_on(old: Product, restarts: bool, delivery: date, tx: Tx) -> dict[str, Any]:
    """The sale of the old unit, which is that of the new one."""
    return {
        "purchase_date": old.purchase_date,
        "proof": old.proof,
        "proof_state": old.proof_state,
        "proof_reason": old.proof_reason,
        "covers": _passed_on(old, restarts, delivery, tx),
        "sold_by": old.sold_by,
        "second_hand": old.second_hand and not restarts,
        "guaranteed_from": None if restarts else old.guaranteed_from or old.delivery_date,
    }


def _has_nothing_left(product: Product, delivery: date) -> bool:
    """Whether we sold it, and no guarantee paid any more when the replacement was asked for."""
    in_place = product.view().model_copy(update={"replaced_on": None})
    return product.sold_by is None and in_place.warranty(_asked(product, delivery)).why == "covers_ended"


def _asked(product: Product, delivery: date) -> date:
    """When the replacement was asked for."""
    return min((repair.asked for repair in product.repairs if repair.back == delivery), default=delivery)


def _is_under_legal_guarantee(product: Product, delivery: date) -> bool:
    """Whether the replacement was asked for under the legal guarantee."""
    asked = _asked(product, delivery)
    if product.proof_state == "accepted":
        legal = [cover for cover in product.covers if cover.kind == "legal_conformity"]
        return any(cover.applies(asked, product.repairs) for cover in legal)
    # Its proof may be accepted later.
    months = legal_guarantee(product.purchase_date).months
    ours = product.consumer and product.sold_by is None
    return ours and asked <= months_after(product.guaranteed_from or product.delivery_date, months)


def _passed_on(old: Product, restarts: bool, delivery: date, tx: Tx) -> list[Cover]:
    """The covers of the new unit: those of the old one, the legal guarantee anew where it restarts."""
    covers = [cover for cover in old.covers if not cover.voided_at]
    if not restarts:
        return covers
    others = [cover for cover in covers if cover.kind != "legal_conformity"]
    return [*others, legal_cover(tx.new_id(), old.purchase_date, delivery, second_hand=False)]
