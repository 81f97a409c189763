"""Effects of attestations."""

from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import EffectRun
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.attestation import AttestationMade
from sav_interventions.app import interventions
from sav_interventions.attestation_pdf import attestation_pdf
from sav_interventions.model import Attestation, Intervention
from sav_interventions.printer import on_paper


@interventions.effect
async def print_attestation(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of an attestation, in its client's language; then it is there for everybody."""
    async with run() as tx:
        attestation = (await tx.load(Attestation, id, SYSTEM)).view()
        visit = await tx.read(Intervention, attestation.intervention_id, SYSTEM)
        locale = (await tx.view(ClientView, visit.client_id)).locale
        files = Files(tx.settings.files_url)
    if attestation.document or attestation.attested is None:
        return
    pdf = await on_paper(attestation_pdf, attestation, locale)
    name = f"attestation {attestation.attested.serial} {attestation.serviced_on}.pdf"
    document = await files.put(pdf, "application/pdf", name)
    async with run() as tx:
        written = await tx.load(Attestation, id, SYSTEM)
        if written.document is None:
            written.print_as(document, tx.now)
            tx.emit(written, AttestationMade())
