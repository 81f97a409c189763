"""Slots, appointments, working hours, conflicts."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.calendar import (
    AppointmentView,
    BookAppointment,
    ConflictView,
    FindFreeSlots,
    HoldSlot,
    ResolveConflict,
    SetHours,
    WorkingHoursView,
)
from sav_contracts.surface.rows import CLIENT_AND_MANAGERS, EVERYBODY, MessageRow, RecordRow, list_and_record

ROWS = (
    MessageRow("Free slots", "GET /slots", FindFreeSlots, EVERYBODY),
    MessageRow("Hold a slot", "POST /appointments/hold", HoldSlot, CLIENT_AND_MANAGERS, status=201),
    MessageRow("Book the held slot", "POST /appointments", BookAppointment, CLIENT_AND_MANAGERS, status=201),
    *list_and_record(
        "Calendar",
        "/appointments",
        AppointmentView,
        EVERYBODY,
        filters=("status", "client_id", "technician_id", "reclamation_id", "intervention_id"),
        sorts=("start",),
        search=("reclamation_reference", "client_id"),
    ),
    RecordRow("Working hours", "GET /technicians/{technician_id}/hours", WorkingHoursView, STAFF),
    MessageRow("Set working hours", "PUT /technicians/{technician_id}/hours", SetHours, STAFF),
    *list_and_record(
        "Conflicts",
        "/conflicts",
        ConflictView,
        STAFF,
        filters=("status", "problem", "technician_id", "reclamation_id", "intervention_id"),
    ),
    MessageRow("Resolve a conflict", "POST /conflicts/{conflict_id}/resolve", ResolveConflict, MANAGERS),
)
