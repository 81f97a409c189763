"""The report of a visit: written, signed, submitted, validated or sent back."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.report import (
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
from sav_interventions.app import interventions
from sav_interventions.lifecycle import DONE, UNDER_WAY
from sav_interventions.model import Intervention, Report


class NothingToReport(Conflict):
    """A report is about work that has begun."""

    code = "nothing_to_report"


class VisitNotOver(Conflict):
    """A report is handed in once the visit is completed, or left incomplete."""

    code = "visit_not_over"


@interventions.command(WriteReport)
async def write_report(cmd: WriteReport, tx: Tx, by: Actor) -> Report:
    """Write it, or write it again; what was validated gets another edition."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    if visit.status not in UNDER_WAY | DONE:
        raise NothingToReport(f"the visit is {visit.status}: there is no work to report")
    report = await _newest(tx, visit)
    if report is None or report.is_final():
        report = tx.add(
            Report(
                id=tx.new_id(),
                intervention_id=visit.id,
                reclamation_id=visit.reclamation_id,
                edition=report.edition + 1 if report else 1,
                status="draft",
            )
        )
    report.rewrite(cmd.findings, cmd.work_done, cmd.recommendations)
    tx.emit(ReportChanged, report)
    return report


@interventions.command(SignReport)
async def sign_report(cmd: SignReport, tx: Tx, by: Actor) -> Report:
    """Keep the client's signature, or why they refused it."""
    _, report = await _reported(tx, cmd.intervention_id, by)
    if cmd.signed_by and cmd.signature:
        report.sign(cmd.signed_by, cmd.signature, tx.now, by)
    elif cmd.refused:
        report.refuse_signature(cmd.refused, by)
    tx.emit(ReportChanged, report)
    return report


@interventions.command(SubmitReport)
async def submit_report(cmd: SubmitReport, tx: Tx, by: Actor) -> Report:
    """Hand it in when the visit is over."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.submit(by)
    if visit.status not in DONE:
        raise VisitNotOver(f"the visit is {visit.status}: complete it first, or say why it could not be done")
    tx.emit(ReportSubmitted, report)
    return report


@interventions.command(ValidateReport)
async def validate_report(cmd: ValidateReport, tx: Tx, by: Actor) -> Report:
    """Validate it, which closes its visit; a correction closes nothing again."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.move("validated", None, by)
    tx.emit(ReportValidated, report)
    if visit.closed_at is None:
        visit.closed_at = tx.now
        tx.emit(InterventionClosed, visit, outcome=visit.status, follow_up_id=await _follow_up_of(tx, visit))
    return report


@interventions.command(SendBackReport)
async def send_back_report(cmd: SendBackReport, tx: Tx, by: Actor) -> Report:
    """Send it back to its technician with the reason."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    report.move("sent_back", cmd.reason, by)
    tx.emit(ReportSentBack, report, technician_id=visit.technician_id, reason=cmd.reason)
    return report


async def _reported(tx: Tx, intervention_id: UUID, by: Actor) -> tuple[Intervention, Report]:
    """The visit, within the actor's scope, and the newest edition of its report; locked in this order by all."""
    visit = await tx.load(Intervention, intervention_id, by)
    report = await _newest(tx, visit)
    if report is None:
        raise NotFound(f"there is no report of visit {intervention_id} yet")
    return visit, report


async def _newest(tx: Tx, visit: Intervention) -> Report | None:
    return await tx.first(
        select(Report).where(Report.intervention_id == visit.id).order_by(Report.edition.desc())
    )


async def _follow_up_of(tx: Tx, visit: Intervention) -> UUID | None:
    """The newest, where a reassignment replaced it."""
    return await tx.session.scalar(
        select(Intervention.id)
        .where(Intervention.follows_id == visit.id)
        .order_by(Intervention.created_at.desc())
        .limit(1)
    )
