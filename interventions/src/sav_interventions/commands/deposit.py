"""Commands about deposit invoices, for managers."""

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.deposit import DraftDeposit, DraftEstimateDeposit
from sav_contracts.interventions.invoice import Agreed
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions.agreed_price import as_agreed, whole_for_client
from sav_interventions.agreement import last_accepted
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words, itemised
from sav_interventions.concluded import check_payable
from sav_interventions.days import today
from sav_interventions.deposits import (
    asked_of,
    check_not_invoiced,
    check_within,
    deposit_lines,
    one_at_a_time,
)
from sav_interventions.drafting import draft
from sav_interventions.model import Estimate, Intervention, Invoice
from sav_interventions.settings import billing
from sav_interventions.supplied import as_named, as_said, check_subcontracted, place_of, supply_of


class NotAccepted(Conflict):
    """A deposit is a part of what a client agreed to."""

    code = "not_accepted"
    state: Text
    en = "The estimate is {state}: a deposit is asked for once its client has accepted it"
    fr = "Le devis est à l’état « {state} » : un acompte se demande une fois qu’il est accepté par le client"


class DepositOfNothing(WrongField):
    field: str = "percent"
    en = "so many percent of these lines amount to nothing"
    fr = "ce pourcentage de ces lignes ne représente rien"


@interventions.command(DraftEstimateDeposit)
async def draft_estimate_deposit(cmd: DraftEstimateDeposit, tx: Tx, by: Actor) -> Invoice:
    """Draft a deposit invoice: so many percent of what the client pays of an accepted estimate, a line for each rate."""
    estimate = await tx.load(Estimate, cmd.estimate_id, by)
    if estimate.status != "accepted":
        raise NotAccepted(state=label(estimate.status))
    agreed = Agreed(
        estimate_id=estimate.id,
        estimate=estimate.view().called,
        net=estimate.net,
        gross=estimate.net + estimate.tax,
    )
    await check_not_invoiced(tx, estimate.intervention_id, agreed)
    await check_payable(estimate.intervention_id, tx, deposit=True)
    await one_at_a_time(tx, estimate.intervention_id)
    client = await tx.view(ClientView, estimate.client_id)
    whole, _ = await whole_for_client(estimate, tx)
    visit = await tx.read(Intervention, estimate.intervention_id, SYSTEM)
    asked = [total for one in await asked_of(visit, tx) for total in one.vat]
    lines = deposit_lines(whole.vat, cmd.percent, estimate.currency, client.locale, asked)
    if not lines:
        raise DepositOfNothing
    deposit = draft(
        lines,
        estimate.supply.model_copy(update={"on": today(tx)}),
        client,
        estimate.place,
        tx,
        intervention_id=estimate.intervention_id,
        reclamation_id=estimate.reclamation_id,
        reclamation_reference=estimate.reclamation_reference,
        deposit=True,
        agreed=agreed,
        whole=estimate.total,
    )
    await check_within(tx, deposit, "percent")
    return deposit


@interventions.command(DraftDeposit)
async def draft_deposit(cmd: DraftDeposit, tx: Tx, by: Actor) -> Invoice:
    """Draft a deposit invoice: so many percent of an agreed price, a line for each rate."""
    law = billing().law
    check_amount(cmd.lines, "lines")
    check_words(cmd.lines, "lines")
    if cmd.discount and cmd.discount.amount:
        check_decimals(cmd.discount.amount, law.currency, "discount.amount")
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    await check_not_invoiced(tx, visit.id)
    await check_payable(visit.id, tx, deposit=True)
    client = await tx.view(ClientView, visit.client_id)
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    place = place_of(product, visit)
    supply = await supply_of(visit, product, place, today(tx), tx)
    if estimate := await last_accepted(visit, tx):
        # The deposit is of the work that was agreed, also where the visit itself only found out what to do.
        supply = as_agreed(estimate, supply.model_copy(update={"works": estimate.supply.works}), None)
    supply = await as_named(as_said(supply, cmd.supply), cmd.lines, tx)
    check_subcontracted(supply, law)
    supply = supply.model_copy(update={"certified": supply.certified or cmd.certified})
    agreed = itemised(cmd.lines, cmd.discount, supply, law)
    lines = deposit_lines(agreed.vat, cmd.percent, law.currency, client.locale)
    if not lines:
        raise DepositOfNothing
    deposit = draft(
        lines,
        supply,
        client,
        place,
        tx,
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        reclamation_reference=visit.reclamation_reference,
        deposit=True,
        whole=agreed.total,
    )
    await check_within(tx, deposit, "percent")
    return deposit
