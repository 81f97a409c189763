"""Papers that a client opens by the link of a mail, and invoices that are paid from there."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sav_chassis.identity import Links
from sav_chassis.model import Aggregate
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.paper import GetPaperByLink, LinkedKind, PaperShown, PayByLink
from sav_contracts.interventions.payment import StartCheckout
from sav_interventions.app import interventions
from sav_interventions.commands.checkout import NothingLeftToPay, start_checkout
from sav_interventions.concluded import too_early_until
from sav_interventions.model import Attestation, CreditNote, Estimate, Invoice, Report
from sav_interventions.online.chosen import asked

PAPER = "paper"
PAPERS: dict[LinkedKind, type[Aggregate[Any]]] = {
    "invoice": Invoice,
    "credit_note": CreditNote,
    "report": Report,
    "estimate": Estimate,
    "attestation": Attestation,
}
# How long a link holds, from the last change of what it is about: a mail may fall into other hands later.
LINK_HOLDS = timedelta(days=90)


class NothingToPayHere(NothingLeftToPay):
    """The paper of a link is no invoice."""

    en = "There is nothing to pay here"
    fr = "Il n’y a rien à payer ici"


@interventions.query(GetPaperByLink)
async def get_paper_by_link(query: GetPaperByLink, tx: Tx, by: Actor) -> PaperShown:
    """The paper, where its client may read it now."""
    id = Links(tx.settings.link_secret).grant(PAPER, query.token.get_secret_value())
    shown = await _paper(id, tx) if id else None
    if shown is None:
        raise LinkExpired
    return shown


@interventions.command(PayByLink)
async def pay_by_link(cmd: PayByLink, tx: Tx, by: Actor) -> PaperShown:
    """Begin to pay the invoice of a link: whoever holds the link pays for its client."""
    id = Links(tx.settings.link_secret).grant(PAPER, cmd.token.get_secret_value())
    shown = await _paper(id, tx) if id else None
    if id is None or shown is None:
        raise LinkExpired
    if shown.kind != "invoice":
        raise NothingToPayHere
    invoice = await tx.read(Invoice, id, SYSTEM)
    payer = Actor(id=invoice.client_id, role=Role.CLIENT)
    begun = await start_checkout(StartCheckout(invoice_id=invoice.id), tx, payer)
    return shown.model_copy(update={"checkout_url": begun.checkout_url})


async def _to_pay(record: Aggregate[Any], tx: Tx) -> dict[str, Any]:
    """What is left of an invoice, where it can be paid online now."""
    if not isinstance(record, Invoice) or record.status not in {"issued", "partly_paid"}:
        return {}
    if record.balance <= 0 or asked(tx.settings) is None or await too_early_until(record, tx):
        return {}
    return {"to_pay": record.balance, "currency": record.currency}


async def _paper(id: UUID, tx: Tx) -> PaperShown | None:
    for kind, model in PAPERS.items():
        record = await tx.session.get(model, id)
        if record is None or record.updated_at + LINK_HOLDS < tx.now:
            continue
        if isinstance(record, Estimate) and record.accepted is None:
            continue  # one that waits for an answer has a link of its own
        if seen := record.view().for_client():
            number = seen.called if isinstance(seen, EstimateView) else getattr(seen, "number", None)
            payable = await _to_pay(record, tx)
            return PaperShown(kind=kind, number=number, document=seen.document, **payable)
    return None
