"""Covers that managers add or void, and units that take another's place."""

from datetime import date

from sav_catalog.app import catalog
from sav_catalog.commands.product import check_dates, check_serial, registrable
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
    return await put_in_place(old, article, cmd.serial, cmd.delivery_date, cmd.imposed, cmd.reason, tx)


async def put_in_place(
    old: Product, article: Article, serial: str, delivery: date, imposed: bool, reason: str | None, tx: Tx
) -> Product:
    """The unit with this serial number, in the place of the old one.

    Where that was `imposed` under the legal guarantee, this begins anew.
    """
    old.replaced_on = delivery
    await recount(old, tx)
    restarts = imposed and _is_under_legal_guarantee(old, delivery)
    new = tx.add(
        Product(
            id=tx.new_id(),
            client_id=old.client_id,
            article_id=article.id,
            article=article.name,
            family=article.family,
            serial=serial,
            place=old.place,
            purchase_date=old.purchase_date,
            delivery_date=delivery,
            proof=old.proof,
            proof_state=old.proof_state,
            proof_reason=old.proof_reason,
            covers=_passed_on(old, restarts, delivery, tx),
            sold_by=old.sold_by,
            consumer=old.consumer,
            second_hand=old.second_hand and not restarts,
            replaces_id=old.id,
            guaranteed_from=None if restarts else old.guaranteed_from or old.delivery_date,
        )
    )
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


def _is_under_legal_guarantee(product: Product, delivery: date) -> bool:
    """Whether the replacement was asked for under the legal guarantee."""
    asked = min((repair.asked for repair in product.repairs if repair.back == delivery), default=delivery)
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
