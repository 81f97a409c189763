"""Work and its report: what was signed says what was done."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.interventions.report import ReportChanged
from sav_contracts.labels import label
from sav_interventions.lifecycle import DONE
from sav_interventions.model import Intervention, Report
from sav_interventions.model.report import SignedAlready


async def newest_report(visit: Intervention, tx: Tx) -> Report | None:
    """The newest edition of the visit's report, locked: always after its visit."""
    return await tx.first(
        select(Report).where(Report.intervention_id == visit.id).order_by(Report.edition.desc())
    )


async def check_report_open(visit: Intervention, tx: Tx) -> None:
    """Refuses work that is recorded after the visit, once its report is signed, unless a manager sent that back.

    Where no work was recorded at all, it may be until the report is submitted: without it none can be.
    """
    report = await newest_report(visit, tx) if visit.status in DONE and visit.closed_at is None else None
    if report is None or report.status in {"draft", "sent_back"}:
        return
    if visit.work is None and report.status in {"signed", "signature_refused"}:
        return
    raise SignedAlready(state=label(report.status))


async def unsign_report(visit: Intervention, tx: Tx) -> None:
    """Removes the signature of a report that is not submitted: it was for what the work said before."""
    report = await newest_report(visit, tx)
    if report and report.unsign():
        tx.emit(report, ReportChanged())
