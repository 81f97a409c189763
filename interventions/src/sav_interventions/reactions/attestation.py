"""Services of boilers and heat pumps are attested: within fifteen days, with what the report says."""

from datetime import date

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.servicing import (
    ApplianceKind,
    ServiceRule,
    attested_by,
    attesting_rule,
    kind_of,
    next_service,
    service_rule,
)
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.attestation import AttestationChanged, AttestationRequired, Attested
from sav_contracts.interventions.visit import InterventionClosed, InterventionMoved, InterventionView
from sav_interventions.app import interventions
from sav_interventions.attestation_effects import print_attestation
from sav_interventions.model import Attestation, Report, Technician
from sav_interventions.settings import billing
from sav_interventions.timers import remind_of_attestation, reminder_at


@interventions.on(InterventionMoved, since="2026-11-29")
async def require_attestation(event: InterventionMoved, tx: Tx) -> str | None:
    """A completed service of a boiler or a heat pump has to be attested."""
    if event.after != "completed":
        return "it is not completed"
    if await _attestation_of(event.state, tx):
        return "it is known that it has to be attested"
    required = await _require(event.state, tx)
    return required if isinstance(required, str) else None


@interventions.on(InterventionClosed, since="2026-11-29")
async def write_attestation(event: InterventionClosed, tx: Tx) -> str | None:
    """Writes the attestation with the validated report, and prints it after the commit."""
    visit = event.state
    attestation = await _attestation_of(visit, tx) or await _require(visit, tx)
    if isinstance(attestation, str):
        return attestation
    if attestation.attested:
        return "written already"
    attestation.attested = await _attested(attestation, visit, tx)
    tx.emit(attestation, AttestationChanged())
    tx.later(print_attestation, attestation.id)
    return None


async def _attestation_of(visit: InterventionView, tx: Tx) -> Attestation | None:
    return await tx.first(select(Attestation).where(Attestation.intervention_id == visit.id))


async def _require(visit: InterventionView, tx: Tx) -> Attestation | str:
    """The attestation that is due for a visit, or why none is."""
    if visit.purpose != "maintenance" or visit.status != "completed":
        return "it is no service that was completed"
    if visit.product_id is None or visit.done_at is None:
        return "it is about no registered unit"
    product = await tx.view(ProductView, visit.product_id)
    serviced = product.place.day(visit.done_at)
    due = attested_by(await tx.view(ArticleView, product.article_id), serviced)
    if due is None:
        return "no law wants it attested"
    attestation = tx.add(
        Attestation(
            id=tx.new_id(),
            intervention_id=visit.id,
            product_id=product.id,
            reclamation_id=visit.reclamation_id,
            serviced_on=serviced,
            due_on=due,
            status="due",
        )
    )
    tx.emit(attestation, AttestationRequired())
    tx.remind(remind_of_attestation, attestation.id, reminder_at(attestation, tx.now))
    return attestation


async def _attested(attestation: Attestation, visit: InterventionView, tx: Tx) -> Attested:
    product = await tx.view(ProductView, attestation.product_id)
    article = await tx.view(ArticleView, product.article_id)
    kind, rule = _kind_and_rule(article, attestation.serviced_on, visit)
    installed = product.commissioning_date or product.delivery_date
    work = visit.work
    assert work, "only a visit with its work is completed"
    return Attested(
        kind=kind,
        article=article.name,
        brand=article.brand,
        model=article.model,
        serial=product.serial,
        fuel=article.fuel,
        power_kw=article.power_kw,
        commissioned_on=product.commissioning_date,
        client=(await tx.view(ClientView, visit.client_id)).name,
        place=product.place.model_copy(update={"access_notes": None}),
        technician=(await tx.read(Technician, visit.technician_id, SYSTEM)).name,
        firm=billing().seller,
        tasks=visit.tasks,
        co_ppm=work.co_ppm,
        co_not_measured=work.co_not_measured,
        readings=work.readings,
        advice=await _advice(visit, tx),
        next_service_due=next_service(article, installed, attestation.serviced_on, attestation.serviced_on),
        reference=rule.reference,
        visit=visit.called,
    )


def _kind_and_rule(
    article: ArticleView, serviced: date, visit: InterventionView
) -> tuple[ApplianceKind, ServiceRule]:
    """What was serviced, and by which rule that is attested.

    Where the article was corrected since, so that no law would want it attested, what was known at the visit stands.
    """
    rule = service_rule(article, serviced)
    if rule and rule.attested_within:
        return kind_of(article), rule
    kind = visit.appliance.kind if visit.appliance else kind_of(article)
    return kind, attesting_rule(kind, serviced)


async def _advice(visit: InterventionView, tx: Tx) -> str | None:
    """What the report recommends."""
    newest = select(Report.recommendations).where(
        Report.intervention_id == visit.id, Report.status.in_(("validated", "archived"))
    )
    advice: str | None = await tx.session.scalar(newest.order_by(Report.edition.desc()).limit(1))
    return advice
