"""Effects of interventions."""

import asyncio
from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import InvoiceChanged
from sav_contracts.interventions.report import ReportChanged, ReportView
from sav_contracts.time_zone import zone_of
from sav_interventions.app import interventions
from sav_interventions.invoice_pdf import invoice_pdf
from sav_interventions.model import Intervention, Report, Technician, VisitPhoto
from sav_interventions.model.invoice import Invoice
from sav_interventions.printer import on_paper
from sav_interventions.report_pdf import ReportPaper, in_print_size, local, report_pdf
from sav_interventions.safety import air_of
from sav_interventions.settings import billing


@interventions.effect
async def print_invoice(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of an issued invoice, in its client's language."""
    async with run() as tx:
        invoice = (await tx.load(Invoice, id, SYSTEM)).view()
        locale = (await tx.view(ClientView, invoice.client_id)).locale
        files = Files(tx.settings.files_url)
    if invoice.document:
        return
    pdf = await on_paper(invoice_pdf, invoice, locale)
    document = await files.put(pdf, "application/pdf", f"{invoice.number}.pdf")
    async with run() as tx:
        issued = await tx.load(Invoice, id, SYSTEM)
        if issued.document is None:
            issued.document = document
            tx.emit(issued, InvoiceChanged())


@interventions.effect
async def print_report(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of a report as it was submitted, in its client's language."""
    async with run() as tx:
        report = (await tx.read(Report, id, SYSTEM)).view()
        if report.submitted_at is None or report.document:
            return
        paper = await _paper(report, tx)
        files = Files(tx.settings.files_url)
    shown = paper.pictures
    made = await asyncio.gather(*(in_print_size(picture, files) for picture in shown.values()))
    pictures = dict(zip(shown, made, strict=True))
    pdf = await on_paper(report_pdf, paper, pictures)
    document = await files.put(pdf, "application/pdf", paper.file_name)
    async with run() as tx:
        submitted = await tx.load(Report, id, SYSTEM)
        # Meanwhile it may have been sent back and written again: that is printed when it is submitted.
        if submitted.submitted_at == report.submitted_at and submitted.document is None:
            submitted.document = document
            tx.emit(submitted, ReportChanged())


@interventions.effect
async def prepare_photo(id: UUID, run: EffectRun) -> None:
    """Makes the photo of a visit in the size in which it is printed, so that no report waits for that."""
    async with run() as tx:
        photo = await tx.read(VisitPhoto, id, SYSTEM)
        files = Files(tx.settings.files_url)
    await in_print_size(photo.file, files)


async def _paper(report: ReportView, tx: Tx) -> ReportPaper:
    """What stands on the paper of a report. Nothing is locked: a command locks the visit first, then its report."""
    visit = await tx.read(Intervention, report.intervention_id, SYSTEM)
    client = await tx.view(ClientView, visit.client_id)
    technician = await tx.read(Technician, visit.technician_id, SYSTEM)
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    place = visit.place or (product.place if product else None)
    zone = zone_of(place.country, place.postcode) if place else billing().law.zone
    return ReportPaper(
        locale=client.locale,
        firm=billing().seller,
        report=report,
        reference=visit.reclamation_reference or visit.reference,
        client=client.name,
        technician=technician.name,
        place=place,
        product=product.article if product else visit.article,
        serial=product.serial if product else None,
        purpose=visit.purpose,
        status=visit.status,
        cause=visit.cause,
        done_at=local(visit.done_at, zone),
        signed_at=local(report.signed_at, zone),
        work=visit.work,
        tasks=visit.tasks,
        air=air_of(visit.work, visit.done_at or report.submitted_at),
        submitted_at=local(report.submitted_at, zone),
        refused_at=local(report.signature_refused_at, zone),
        written_by=(await tx.view(AccountView, report.written_by_id)).name if report.written_by_id else None,
    )
