"""Commands about deposit invoices, for managers."""

from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.deposit import DraftDeposit
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words, itemised
from sav_interventions.days import today
from sav_interventions.deposits import check_not_invoiced, deposit_lines
from sav_interventions.drafting import draft
from sav_interventions.model import Intervention, Invoice
from sav_interventions.settings import billing
from sav_interventions.supplied import supply_of


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
    client = await tx.view(ClientView, visit.client_id)
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    place = product.place if product else visit.place
    supply = await supply_of(visit, product, place, today(tx), tx)
    supply = cmd.supply.changing(supply) if cmd.supply else supply
    supply = supply.model_copy(update={"certified": cmd.certified})
    agreed = itemised(cmd.lines, cmd.discount, supply, law)
    return draft(
        deposit_lines(agreed.vat, cmd.percent, law.currency, client.locale),
        supply,
        client,
        place,
        tx,
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        reclamation_reference=visit.reclamation_reference,
        deposit=True,
    )
