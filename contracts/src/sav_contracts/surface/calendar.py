"""Slots, appointments, working hours, conflicts."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.calendar.absence import AbsenceView, AddAbsence, PreviewAbsence, RemoveAbsence
from sav_contracts.calendar.appointment import (
    AppointmentView,
    BookAppointment,
    CancelAppointment,
    HoldSlot,
    MoveAppointment,
    ReportNoShow,
)
from sav_contracts.calendar.candidates import FindCandidates
from sav_contracts.calendar.conflict import ConflictView, ResolveConflict
from sav_contracts.calendar.hours import PreviewHours, SetHours, WorkingHoursView
from sav_contracts.calendar.offer import ChooseTime, GetOfferByLink, OfferTimes
from sav_contracts.calendar.plan import AcceptPlan, ProposePlan
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.calendar.subscription import GetCalendarFeed, RotateCalendarAddress
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink
from sav_contracts.calendar.waiting import AskForEarlier, EarlierVisitView, StopWaiting
from sav_contracts.surface.rows import (
    ANYBODY,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    ListRow,
    MessageRow,
    RecordRow,
    TextRow,
    list_and_record,
)

ROWS = (
    MessageRow("Free slots", "GET /slots", FindFreeSlots, EVERYBODY),
    MessageRow("Hold a slot", "POST /appointments/hold", HoldSlot, CLIENT_AND_MANAGERS, status=201),
    MessageRow("Book the held slot", "POST /appointments", BookAppointment, CLIENT_AND_MANAGERS, status=201),
    *list_and_record(
        "Calendar",
        "/appointments",
        AppointmentView,
        EVERYBODY,
        filters=(
            "status",
            "client_id",
            "technician_id",
            "reclamation_id",
            "intervention_id",
            "close",
            "missed_by",
        ),
        sorts=("start",),
        search=("reclamation_reference", "client_id", "intervention_id"),
    ),
    MessageRow("Visit: read by link", "GET /visit/{token}", GetVisitByLink, ANYBODY),
    MessageRow("Visit: confirm, move or cancel by link", "POST /visit/{token}", AnswerVisitByLink, ANYBODY),
    TextRow(
        "Own visits in a telephone’s calendar",
        "GET /me/calendar.ics",
        GetCalendarFeed,
        ANYBODY,
        media_type="text/calendar; charset=utf-8",
        held="known",
    ),
    MessageRow(
        "Get the secret address of one’s calendar, or another one",
        "POST /me/calendar/rotate",
        RotateCalendarAddress,
        EVERYBODY,
    ),
    MessageRow(
        "Move an appointment", "POST /appointments/{appointment_id}/reschedule", MoveAppointment, EVERYBODY
    ),
    MessageRow(
        "Cancel an appointment", "POST /appointments/{appointment_id}/cancel", CancelAppointment, EVERYBODY
    ),
    MessageRow(
        "Mark the technician’s no-show", "POST /appointments/{appointment_id}/no-show", ReportNoShow, MANAGERS
    ),
    MessageRow(
        "Waiting list: ask for an earlier visit",
        "PUT /reclamations/{reclamation_id}/earlier",
        AskForEarlier,
        CLIENT_AND_MANAGERS,
    ),
    RecordRow(
        "Waiting list", "GET /reclamations/{reclamation_id}/earlier", EarlierVisitView, CLIENT_AND_MANAGERS
    ),
    MessageRow(
        "Waiting list: not any more",
        "DELETE /reclamations/{reclamation_id}/earlier",
        StopWaiting,
        CLIENT_AND_MANAGERS,
    ),
    RecordRow("Working hours", "GET /technicians/{technician_id}/hours", WorkingHoursView, STAFF),
    MessageRow("Set working hours", "PUT /technicians/{technician_id}/hours", SetHours, STAFF),
    MessageRow(
        "What a change of hours would break",
        "POST /technicians/{technician_id}/hours/preview",
        PreviewHours,
        STAFF,
    ),
    ListRow(
        "Absences",
        "GET /technicians/{technician_id}/absences",
        AbsenceView,
        STAFF,
        filters=("status", "cause"),
        sorts=("created_at", "updated_at", "start"),
    ),
    RecordRow("An absence", "GET /technicians/{technician_id}/absences/{absence_id}", AbsenceView, STAFF),
    MessageRow("Add an absence", "POST /technicians/{technician_id}/absences", AddAbsence, STAFF, status=201),
    MessageRow(
        "Remove an absence",
        "DELETE /technicians/{technician_id}/absences/{absence_id}",
        RemoveAbsence,
        STAFF,
    ),
    MessageRow(
        "What an absence would break",
        "POST /technicians/{technician_id}/absences/preview",
        PreviewAbsence,
        STAFF,
    ),
    MessageRow(
        "Suggest technicians", "GET /reclamations/{reclamation_id}/candidates", FindCandidates, MANAGERS
    ),
    *list_and_record(
        "Conflicts",
        "/conflicts",
        ConflictView,
        STAFF,
        filters=("status", "problem", "technician_id", "reclamation_id", "intervention_id"),
    ),
    MessageRow("Resolve a conflict", "POST /conflicts/{conflict_id}/resolve", ResolveConflict, MANAGERS),
    MessageRow(
        "Have the client of a conflict choose a time",
        "POST /conflicts/{conflict_id}/offer",
        OfferTimes,
        MANAGERS,
    ),
    MessageRow("Other times: read by link", "GET /times/{token}", GetOfferByLink, ANYBODY),
    MessageRow("Other times: choose one by link", "POST /times/{token}", ChooseTime, ANYBODY),
    MessageRow("Plan for a disrupted day", "GET /conflicts/plan", ProposePlan, MANAGERS),
    MessageRow("Accept a plan, in whole or in part", "POST /conflicts/plan", AcceptPlan, MANAGERS),
)
