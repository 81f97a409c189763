"""Papers that a client opens by the link of a mail."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sav_chassis.identity import Links
from sav_chassis.model import Aggregate
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.paper import GetPaperByLink, PaperShown
from sav_interventions.app import interventions
from sav_interventions.commands.estimate import EstimateLinkOver
from sav_interventions.model import CreditNote, Invoice, Report

PAPER = "paper"
PAPERS: dict[Literal["invoice", "credit_note", "report"], type[Aggregate[Any]]] = {
    "invoice": Invoice,
    "credit_note": CreditNote,
    "report": Report,
}
# How long a link holds, from the last change of what it is about: a mail may fall into other hands later.
LINK_HOLDS = timedelta(days=90)


@interventions.query(GetPaperByLink)
async def get_paper_by_link(query: GetPaperByLink, tx: Tx, by: Actor) -> PaperShown:
    """The paper, where its client may read it now."""
    id = Links(tx.settings.link_secret).grant(PAPER, query.token.get_secret_value())
    shown = await _paper(id, tx) if id else None
    if shown is None:
        raise EstimateLinkOver
    return shown


async def _paper(id: UUID, tx: Tx) -> PaperShown | None:
    for kind, model in PAPERS.items():
        record = await tx.session.get(model, id)
        if record is None or record.updated_at + LINK_HOLDS < tx.now:
            continue
        if seen := record.view().for_client():
            return PaperShown(kind=kind, number=getattr(seen, "number", None), document=seen.document)
    return None
