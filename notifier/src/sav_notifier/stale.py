"""Why a message need not be sent any more: what it says is over, or was overtaken by newer news."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts import catalogue
from sav_contracts.calendar import AppointmentView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_notifier.model import Notification

V = TypeVar("V", bound=View)
Facts = dict[str, Any]

# The time after which a message says nothing useful.
UNTIL = {
    "invitation": "expires_at",
    "welcome": "expires_at",
    "verification": "expires_at",
    "new_address": "expires_at",
    "password_reset": "expires_at",
    "sign_up_repeated": "expires_at",
    "appointment_booked": "end",
    "visit_booked": "end",
    "visit_planned": "end",
    "visit_conflict": "end",
    "feedback_invited": "open_until",
}


def _status(*still: str) -> Callable[[Any, Facts], bool]:
    return lambda record, facts: record.status in still


def _to_come(record: InterventionView, facts: Facts) -> bool:
    """A visit that was announced, still to come, and at the time that was said where one was."""
    if record.status not in {"planned", "accepted"}:
        return False
    said = facts["start"] and datetime.fromisoformat(facts["start"])
    return not said or (record.slot is not None and record.slot.start == said)


def _at_that_time(record: AppointmentView, facts: Facts) -> bool:
    return record.status == "booked" and record.start == datetime.fromisoformat(facts["start"])


# Whether a newer state of the record still bears the message out; where nothing is said it always does.
STILL_TRUE: dict[str, Callable[[Any, Facts], bool]] = {
    "invitation": _status("invited"),
    "verification": lambda record, facts: not record.email_verified,
    "new_address": lambda record, facts: record.email != facts["to"],
    "password_reset": _status("active"),
    "sign_up_repeated": _status("active"),
    "technician_assigned": lambda record, facts: str(record.technician_id) == facts["technician_id"],
    "appointment_booked": _at_that_time,
    "visit_booked": _to_come,
    "technician_on_the_way": _status("en_route"),
    "reclamation_resolved": _status("resolved"),
    "invoice_issued": lambda record, facts: record.status != "credited",
    "feedback_invited": _status("invited"),
    "visit_planned": _to_come,
    "report_sent_back": _status("sent_back"),
    "reclamation_new": lambda record, facts: record.is_open(),
    "visit_conflict": _status("open"),
    "proof_to_verify": lambda record, facts: record.proof_state == "submitted",
    "report_to_validate": _status("submitted"),
    "warranty_to_decide": lambda record, facts: (
        record.warranty is None or record.warranty.decision == "unknown"
    ),
    "invoice_to_issue": _status("draft"),
}


async def why_stale(tx: Tx, notification: Notification) -> str | None:
    """None while it may be sent."""
    facts = notification.facts
    until = facts.get(UNTIL.get(notification.template, ""))
    if until and datetime.fromisoformat(until) <= tx.now:
        return "its time is over"
    record = await _newest(tx, catalogue.VIEWS[notification.about_kind], notification)
    still_true = STILL_TRUE.get(notification.template)
    if record and still_true and not still_true(record, facts):
        return f"overtaken: the {record.kind()} has changed since"
    if notification.template == "appointment_booked" and facts["intervention_id"]:
        visit = await _known(tx, InterventionView, facts["intervention_id"])
        if visit and visit.status in {"cancelled", "declined"}:
            return f"overtaken: the visit was {visit.status}"
    return None


async def _newest(tx: Tx, view: type[V], notification: Notification) -> V | None:
    """What the message is about, where something newer is known than what it was written from."""
    record = await _known(tx, view, notification.about_id)
    return record if record and record.version > notification.about_version else None


async def _known(tx: Tx, view: type[V], id: Any) -> V | None:
    try:
        return await tx.view(view, id)
    except NotYet:
        return None
