"""Units follow the visits that serviced them, built something in or put another unit in their place."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from sqlalchemy import select

from sav_catalog.app import catalog
from sav_catalog.commands.warranty import Ground, put_in_place
from sav_catalog.covers import names_another_unit
from sav_catalog.model import Article, Product
from sav_catalog.repairs import recount
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import BuiltIn, ProductChanged, ReplacementUnclear, WarrantyChanged
from sav_contracts.interventions.visit import InterventionClosed, InterventionView


@catalog.on(InterventionClosed, since="2026-11-29")
async def keep_service_book(event: InterventionClosed, tx: Tx) -> str | None:
    """Notes a service or an installation with its day, and what was built in, on the unit; plans its next service."""
    visit = event.state
    if visit.product_id is None:
        return "about no registered product"
    product = await tx.load(Product, visit.product_id, SYSTEM)
    on = product.place.day(visit.done_at or event.state.updated_at)
    before = _book(product)
    product.build_in(_built_in(visit, product, on))
    if event.outcome == "completed" and visit.purpose == "maintenance":
        product.serviced_on = max(on, product.serviced_on or on)
    if event.outcome == "completed" and visit.purpose == "install":
        product.commissioning_date = product.commissioning_date or max(on, product.delivery_date)
    if product.replaced_by_id is None:
        product.plan_service(await tx.session.get_one(Article, product.article_id), tx.now)
    if _book(product) == before:
        return "the unit learns nothing from it"
    tx.emit(product, ProductChanged())
    return None


@catalog.on(InterventionClosed, since="2026-11-29")
async def put_new_unit_in_place(event: InterventionClosed, tx: Tx) -> str | None:
    """Where the unit itself failed and was replaced, registers the unit that took its place.

    What no warranty paid, the client bought. Where a repair was asked for under the legal guarantee, this begins anew:
    that the client chose another unit, only a manager says, who registers it before the report is validated
    (`ReplaceProduct`).
    """
    visit, work = event.state, event.state.work
    if visit.product_id is None or work is None or not work.failed_serial or not work.replacement_serial:
        return "no unit was replaced"
    await tx.copies(InterventionView).as_new_as(visit)
    old = await tx.load(Product, visit.product_id, SYSTEM)
    if not names_another_unit(visit, old.serial):
        return "a part of it was replaced"
    unclear = await _unclear(old, work.replacement_serial, tx)
    if unclear == "known":
        return "known"
    if unclear:
        # Where it keeps its place, no other reaction counts this repair.
        if unclear == "serial_taken" and await recount(old, tx):
            tx.emit(old, WarrantyChanged(cause="repaired", until=old.covered_until()))
        tx.emit(
            old,
            ReplacementUnclear(intervention_id=visit.id, new_serial=work.replacement_serial, why=unclear),
        )
        return None
    article = await tx.session.get_one(Article, old.article_id)
    delivery = max(old.place.day(visit.done_at or visit.updated_at), old.delivery_date)
    await put_in_place(old, article, work.replacement_serial, delivery, _ground(visit), None, tx)
    return None


def _ground(visit: InterventionView) -> Ground:
    """Imposed where the visit was to repair under the legal guarantee, or may have been (L217-13); bought where nothing paid."""
    paid = visit.warranty
    if paid and (paid.decision == "unknown" or "legal_conformity" in paid.paid_by()):
        return "imposed"
    return "bought" if paid and paid.parts == 0 else "chosen"


async def _unclear(
    old: Product, serial: str, tx: Tx
) -> Literal["known", "replaced_already", "serial_taken"] | None:
    """Why the unit with this serial number cannot take the place of the old one; `known` where it did."""
    same = select(Product).where(Product.article_id == old.article_id, Product.serial == serial)
    there = await tx.session.scalar(same)
    if there and there.id == old.replaced_by_id:
        return "known"
    if old.replaced_by_id:
        return "replaced_already"
    return "serial_taken" if there else None


def _book(product: Product) -> tuple[object, ...]:
    return product.serviced_on, product.next_service_due, product.commissioning_date, product.built_in


def _built_in(visit: InterventionView, product: Product, on: date) -> Iterator[BuiltIn]:
    """The serial numbers of parts that the visit built in; the unit's own is told by its replacement."""
    work = visit.work
    if work is None:
        return
    of_part = work.failed_serial != product.serial
    listed = {part.serial: part.reference for part in work.parts if part.serial}
    if of_part and work.replacement_serial and work.replacement_serial not in listed:
        yield BuiltIn(
            intervention_id=visit.id, on=on, serial=work.replacement_serial, replaces=work.failed_serial
        )
    for serial, reference in listed.items():
        replaces = work.failed_serial if of_part and serial == work.replacement_serial else None
        yield BuiltIn(intervention_id=visit.id, on=on, serial=serial, replaces=replaces, reference=reference)
