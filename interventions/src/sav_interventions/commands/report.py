"""The report of a visit: written, signed, submitted, validated or sent back, archived."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

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
from sav_interventions.model.visit import WorkMissing
from sav_interventions.move_times import when_signed
from sav_interventions.reported import newest_report
from sav_interventions.said import check_seen, when_said
from sav_interventions.who_comes import check_writes


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


class ReportFinal(Conflict):
    """A report that was validated is corrected by a further edition, which a manager begins by sending it back."""

    code = "report_final"
    state: Text
    en = "The report is {state}: if it needs a correction, ask a manager to send it back"
    fr = (
        "Le rapport est à l’état «\N{NO-BREAK SPACE}{state}\N{NO-BREAK SPACE}»\N{NO-BREAK SPACE}: "
        "s’il faut le corriger, demandez à un responsable SAV de le renvoyer"
    )


class FinalSince(Conflict):
    """The report was validated after this was written offline: it is no correction of what was validated."""

    code = "final_since"
    en = "The report was validated after this was written: if a manager sent it back since, write it anew"
    fr = (
        "Le rapport a été validé après la rédaction de ce texte\N{NO-BREAK SPACE}: "
        "si un responsable SAV l’a renvoyé depuis, rédigez-le de nouveau"
    )


class NoReportYet(NotFound):
    visit: UUID
    en = "There is no report of visit {visit} yet"
    fr = "Il n’y a pas encore de rapport pour l’intervention {visit}"


@interventions.command(WriteReport)
async def write_report(cmd: WriteReport, tx: Tx, by: Actor, at: datetime | None = None) -> Report:
    """Write or rewrite the report, until it is signed and after it was sent back. `at` is when that was, if not now."""
    check_words([cmd])
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    await check_writes(tx, visit, by)
    if visit.status not in UNDER_WAY | DONE:
        raise NothingToReport(state=label(visit.status))
    photos = await named_photos(visit, cmd.photos, tx)
    report = await newest_report(visit, tx)
    if report is None:
        report = tx.add(_edition(visit, tx))
    elif report.is_final():
        raise ReportFinal(state=label(report.status))
    said_at = when_said(at, report.last_at, tx.now)
    changed = report.rewrite(cmd.findings, cmd.work_done, cmd.recommendations or None, photos)
    # What is saved while somebody types is often the same again.
    if changed or report.version == 0:
        report.last_at = report.reads_since = said_at
        report.written_by_id = None if by.id == visit.technician_id else by.id
        tx.emit(report, ReportChanged())
    else:
        # No change of the record that anybody is told of.
        await tx.session.execute(update(Report).where(Report.id == report.id).values(last_at=said_at))
    return report


async def check_not_final_since(intervention_id: UUID, at: datetime, tx: Tx, by: Actor) -> None:
    """Refuses what was written at that time where the report became final since, also if it was sent back then."""
    report = await newest_report(await tx.load(Intervention, intervention_id, by), tx)
    if report is None:
        return
    edition_begun = report.created_at if report.edition > 1 else None
    since = report.updated_at if report.is_final() else edition_begun
    if since and at < since:
        raise FinalSince


def _edition(visit: Intervention, tx: Tx) -> Report:
    """The first edition of the visit's report; nothing is written in it yet."""
    return Report(
        id=tx.new_id(),
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        edition=1,
        findings="",
        work_done="",
        photos=[],
        status="draft",
    )


def _further_edition(visit: Intervention, before: Report, reason: str, tx: Tx) -> Report:
    """The next edition, to be corrected: it says what the one before it says, and is not signed."""
    further = _edition(visit, tx)
    further.edition, further.status, further.reason = before.edition + 1, "sent_back", reason
    further.reads_since = before.reads_since
    further.findings, further.work_done = before.findings, before.work_done
    further.recommendations, further.photos = before.recommendations, list(before.photos)
    further.written_by_id = before.written_by_id
    return further


@interventions.command(SignReport)
async def sign_report(cmd: SignReport, tx: Tx, by: Actor, at: datetime | None = None) -> Report:
    """Record the client's signature, or why they did not sign. `at` is when that was, if not now."""
    visit, report = await _written(tx, cmd.intervention_id, by)
    if at:
        check_seen(visit, report, at)
    report.last_at = when_said(at, report.last_at, tx.now)
    then = when_signed(visit, at, tx.now) if at else tx.now
    if cmd.signed_by and cmd.signature:
        report.sign(cmd.signed_by, cmd.signature, then, by)
    elif cmd.refused:
        report.refuse_signature(cmd.refused, then, by)
    tx.emit(report, ReportChanged())
    return report


@interventions.command(SubmitReport)
async def submit_report(cmd: SubmitReport, tx: Tx, by: Actor, at: datetime | None = None) -> Report:
    """Submit the report of a completed or incomplete visit. `at` is when that was, if not now."""
    visit, report = await _written(tx, cmd.intervention_id, by)
    report.last_at = when_said(at, report.last_at, tx.now)
    report.submit(tx.now, by)
    if visit.status not in DONE:
        raise VisitNotOver(state=label(visit.status))
    if visit.status == "incomplete" and visit.work is None:
        raise WorkMissing
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
    """Send the report back with the reason, to be written anew; of a final one a further edition is begun."""
    visit, report = await _reported(tx, cmd.intervention_id, by)
    if report.is_final():
        report = tx.add(_further_edition(visit, report, cmd.reason, tx))
    else:
        report.move("sent_back", by, cmd.reason)
    report.last_at = when_said(None, report.last_at, tx.now)
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


async def _written(tx: Tx, intervention_id: UUID, by: Actor) -> tuple[Intervention, Report]:
    """The same for whoever writes it: its technician, or managers in their place."""
    visit, report = await _reported(tx, intervention_id, by)
    await check_writes(tx, visit, by)
    return visit, report


async def _reported(tx: Tx, intervention_id: UUID, by: Actor) -> tuple[Intervention, Report]:
    """The visit, within the actor's scope, and the newest edition of its report; always locked in this order."""
    visit = await tx.load(Intervention, intervention_id, by)
    report = await newest_report(visit, tx)
    if report is None:
        raise NoReportYet(visit=intervention_id)
    return visit, report


async def _follow_up_of(tx: Tx, visit: Intervention) -> UUID | None:
    """Its follow-up; the newest one, where a reassignment replaced it."""
    return await tx.session.scalar(
        select(Intervention.id)
        .where(Intervention.follows_id == visit.id)
        .order_by(Intervention.created_at.desc())
        .limit(1)
    )
