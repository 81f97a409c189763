"""Reports, computed from facts."""

from pydantic_core import from_json
from sqlalchemy import text

from sav_chassis.periods import period
from sav_chassis.tx import Tx
from sav_chassis.visibility import condition
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.reporting import FeedbackView, GetReclamationsReport, ReclamationsReport
from sav_contracts.visibility import NOTHING
from sav_reporting.app import reporting

KINDS = {
    "by_status": "status",
    "by_problem": "problem_type",
    "by_priority": "priority",
    "by_coverage": "coverage",
}


def _counted(name: str, column: str) -> str:
    return f"""(SELECT coalesce(json_agg(counted), '[]')::text FROM (
        SELECT {column} AS name, count(*) AS count FROM chosen GROUP BY 1 ORDER BY 2 DESC, 1) counted) AS {name}"""


# One statement, so that all figures are from the same moment.
REPORT = f"""
WITH chosen AS (
    SELECT *, resolved_at IS NOT NULL AND status IN ('resolved', 'closed') AS resolved,
        extract(epoch FROM qualified_at - created_at) / 3600 AS hours_to_qualify,
        extract(epoch FROM resolved_at - created_at) / 3600 AS hours_to_resolve,
        (SELECT count(*) FROM visit_fact v WHERE v.reclamation_id = r.id AND v.closed_at IS NOT NULL) AS visits
    FROM reclamation_fact r
    WHERE (created_at AT TIME ZONE 'UTC')::date BETWEEN :start AND :end AND {{of_reclamations}}),
opinions AS (
    SELECT count(*) AS feedback, avg(rating)::float AS average_rating FROM feedback f
    WHERE status = 'given' AND reclamation_id IN (SELECT id FROM chosen) AND {{of_feedback}}),
invoices AS (
    SELECT coalesce(sum(total), 0.00) AS invoiced, coalesce(sum(paid), 0.00) AS received FROM invoice_fact
    WHERE status IN ('issued', 'partly_paid', 'paid') AND reclamation_id IN (SELECT id FROM chosen)),
missed AS (
    SELECT technician_id, count(*) FILTER (WHERE by_client) AS by_client,
        count(*) FILTER (WHERE NOT by_client) AS by_technician
    FROM (SELECT technician_id, reclamation_id, true AS by_client FROM visit_fact v
            WHERE status = 'no_access' AND {{of_visits}}
        UNION ALL
        SELECT technician_id, reclamation_id, false FROM appointment_fact a
            WHERE missed_by = 'technician' AND {{of_appointments}}) told
    WHERE reclamation_id IN (SELECT id FROM chosen) GROUP BY technician_id),
absences AS (
    SELECT coalesce(sum(by_client), 0)::bigint AS missed_by_client,
        coalesce(sum(by_technician), 0)::bigint AS missed_by_technician,
        coalesce(json_agg(missed ORDER BY technician_id), '[]')::text AS missed
    FROM missed),
figures AS (
    SELECT count(*) AS opened,
        count(*) FILTER (WHERE resolved) AS resolved,
        count(*) FILTER (WHERE status = 'closed') AS closed,
        count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE open) AS open,
        coalesce(sum(visits), 0)::bigint AS visits,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_qualify) AS hours_to_qualify,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_resolve) FILTER (WHERE resolved) AS hours_to_resolve,
        count(*) FILTER (WHERE resolved AND visits = 1) AS resolved_at_first_visit
    FROM chosen)
SELECT *, {", ".join(_counted(*kind) for kind in KINDS.items())} FROM figures, opinions, invoices, absences"""


@reporting.query(GetReclamationsReport)
async def get_reclamations_report(cmd: GetReclamationsReport, tx: Tx, by: Actor) -> ReclamationsReport:
    """Figures about the réclamations opened in a period."""
    start, end = period(cmd.start, cmd.end, tx.now.date())
    statement = text(
        REPORT.format(
            of_reclamations=condition(by.role, ReclamationView.visible.to(by.role), ":me", "r"),
            of_feedback=condition(by.role, FeedbackView.visible.to(by.role), ":me", "f"),
            of_visits=condition(by.role, InterventionView.visible.to(by.role), ":me", "v"),
            of_appointments=condition(by.role, AppointmentView.visible.to(by.role), ":me", "a"),
        )
    )
    found = await tx.session.execute(statement, {"start": start, "end": end, "me": by.id})
    figures = dict(found.mappings().one())
    figures |= {name: from_json(figures[name]) for name in (*KINDS, "missed")}
    if InvoiceView.visible.to(by.role) == NOTHING:
        figures |= {"invoiced": None, "received": None}
    if by.role is Role.CLIENT:
        figures |= {"by_priority": [], "missed": []}  # only staff see priorities, and compare technicians
    return ReclamationsReport(start=start, end=end, **figures)
