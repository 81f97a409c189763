"""Effects of estimates."""

from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import EffectRun
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.estimate import EstimateChanged
from sav_interventions.app import interventions
from sav_interventions.estimate_pdf import estimate_pdf
from sav_interventions.model import Estimate
from sav_interventions.printer import on_paper


@interventions.effect
async def print_estimate(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of an estimate in its client's language: when it is sent, and anew when it is accepted."""
    async with run() as tx:
        estimate = (await tx.read(Estimate, id, SYSTEM)).view()
        locale = (await tx.view(ClientView, estimate.client_id)).locale
        files = Files(tx.settings.files_url)
    if estimate.document:
        return
    pdf = await on_paper(estimate_pdf, estimate, locale)
    document = await files.put(pdf, "application/pdf", f"{estimate.called}.pdf")
    async with run() as tx:
        now = await tx.load(Estimate, id, SYSTEM)
        # Meanwhile it may have been accepted: another run prints that.
        if now.accepted == estimate.accepted and now.document is None:
            now.document = document
            tx.emit(now, EstimateChanged())
