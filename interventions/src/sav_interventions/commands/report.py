"""The report of a visit: written, signed, submitted, validated or sent back, archived."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.report import (
    ArchiveReport,
    ReportArchived,
    ReportChanged,
    ReportSentBack,
    ReportSubmitted,
    ReportValidated,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.visit import InterventionClosed
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions.app import interventions
from sav_interventions.billing import check_words
from sav_interventions.commands.visit_photo import named_photos, show_photos
from sav_interventions.effects import print_report
from sav_interventions.lifecycle import DONE, UNDER_WAY
from sav_interventions.model import Intervention, Report


class NothingToReport(Conflict):
    """A report is about work that has begun."""

    code = "nothing_to_report"
    state: Text
    en = "The visit is {state}: there is no work to report"
    fr = "L’intervention est à l’état « {state} » : il n’y a pas de travail à consigner dans un rapport"


class VisitNotOver(Conflict):
    """A report can be submitted once the visit is completed or incomplete."""

    code = "visit_not_over"
    state: Text
    en = "The visit is {state}: complete it first, or say why it could not be done"
    fr = "L’intervention est à l’état « {state} » : terminez-la d’abord, ou indiquez pourquoi elle n’a pas pu être faite"


class FinalSince(Conflict):
    """The report was validated after this was written offline: it is no correction of what was validated."""

    code = "final_since"
    en = "The report was validated after this was written: if it needs a correction, write it anew"
    fr = (
        "Le rapport a été validé après la rédaction de ce texte\N{NO-BREAK SPACE}: "
        "s’il faut le corriger, rédigez-le de nouveau"
    )


class NoReportYet(NotFound):
    visit: UUID
    en = "There is no report of visit {visit} yet"
    fr = "Il n’y a pas encore de rapport pour l’intervention {visit}"


@interventions.command(WriteReport)
async def write_report(cmd: WriteReport, tx: Tx, by: Actor) -> Report:
    """Write or rewrite the report; after validation, begin another edition."""
    check_words([cmd])
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    if visit.status not in UNDER_WAY | DONE:
        raise NothingToReport(state=label(visit.status))
    photos = await named_photos(visit, cmd.photos, tx)
    report = await _newest(tx, visit)
    if report is None or report.is_final():
        report = tx.add(_edition(visit, report, tx))
    changed = report.rewrite(cmd.findings, cmd.work_done, cmd.recommendations or None, photos)
    # What is saved while somebody types is often the same again.
    if changed or report.version == 0:
        tx.emit(report, ReportChanged())
    return report


async def check_not_final_since(intervention_id: UUID, at: datetime, tx: Tx, by: Actor) -> None:
    """Refuses what was written at that time where the report became final since: that would open another edition."""
    report = await _newest(tx, await tx.load(Intervention, intervention_id, by))
    if report and report.is_final() and at < report.updated_at:
        raise FinalSince


def _edition(visit: Intervention, before: Report | None, tx: Tx) -> Report:
    """The first edition of the visit's report, or the next one; nothing is written in it yet."""
    return Report(
        id=tx.new_id(),
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        edition=before.edition + 1 if before else 1,
        findings="",
        work_done="",
        photos=[],
        status="draft",
    )


@interventions.command(SignReport)
async def sign_report(cmd: SignReport, tx: Tx, by: Actor) -> Report:
    """Record the client's signature, or why they refused to sign."""
    _, report = await _reported(tx, cmd.intervention_id, by)
    if cmd.signed_by and cmd.signature:
        report.sign(cmd.signed_by, cmd.signature, tx.now, by)
    elif cmd.refused:
        report.refuse_signature(cmd.refused, by)
    tx.emit(report, ReportChanged())
    return report


@interventions.command(SubmitReport)
async def submit_report(cmd: SubmitReport, tx: Tx, by: Actor) -> Report:
    """Submit the report of a completed or incomplete visit."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.submit(tx.now, by)
    if visit.status not in DONE:
        raise VisitNotOver(state=label(visit.status))
    tx.emit(report, ReportSubmitted())
    tx.later(print_report, report.id)
    return report


@interventions.command(ValidateReport)
async def validate_report(cmd: ValidateReport, tx: Tx, by: Actor) -> Report:
    """Validate the report, which closes its visit; a later edition does not close it again."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.move("validated", by)
    tx.emit(report, ReportValidated())
    await show_photos(report.photos, tx)
    if visit.closed_at is None:
        visit.closed_at = tx.now
        # Only such a visit has a submitted report.
        assert visit.status in ("completed", "incomplete")
        tx.emit(visit, InterventionClosed(outcome=visit.status, follow_up_id=await _follow_up_of(tx, visit)))
    return report


@interventions.command(SendBackReport)
async def send_back_report(cmd: SendBackReport, tx: Tx, by: Actor) -> Report:
    """Send the report back to its technician with the reason."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.move("sent_back", by, cmd.reason)
    tx.emit(report, ReportSentBack(technician_id=visit.technician_id, reason=cmd.reason))
    return report


@interventions.command(ArchiveReport)
async def archive_report(cmd: ArchiveReport, tx: Tx, by: Actor) -> Report:
    """Archive the report with all its validated editions; not while another one is being written."""
    visit, newest = await _reported(tx, cmd.intervention_id, by)
    earlier = select(Report).where(
        Report.intervention_id == visit.id, Report.id != newest.id, Report.status == "validated"
    )
    for report in [newest, *await tx.session.scalars(earlier.order_by(Report.edition).with_for_update())]:
        report.move("archived", by)
        tx.emit(report, ReportArchived())
    return newest


async def _reported(tx: Tx, intervention_id: UUID, by: Actor) -> tuple[Intervention, Report]:
    """The visit, within the actor's scope, and the newest edition of its report; always locked in this order."""
    visit = await tx.load(Intervention, intervention_id, by)
    report = await _newest(tx, visit)
    if report is None:
        raise NoReportYet(visit=intervention_id)
    return visit, report


async def _newest(tx: Tx, visit: Intervention) -> Report | None:
    return await tx.first(
        select(Report).where(Report.intervention_id == visit.id).order_by(Report.edition.desc())
    )


async def _follow_up_of(tx: Tx, visit: Intervention) -> UUID | None:
    """Its follow-up; the newest one, where a reassignment replaced it."""
    return await tx.session.scalar(
        select(Intervention.id)
        .where(Intervention.follows_id == visit.id)
        .order_by(Intervention.created_at.desc())
        .limit(1)
    )
