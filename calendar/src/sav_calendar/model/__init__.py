"""Appointments, the wish for an earlier one, absences, working hours, conflicts and subscriptions."""

from sav_calendar.model.absence import Absence
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.model.hours import WorkingHours
from sav_calendar.model.subscription import CalendarSubscription, FeedText
from sav_calendar.model.waiting import EarlierVisit

__all__ = [
    "Absence",
    "Appointment",
    "CalendarSubscription",
    "EarlierVisit",
    "FeedText",
    "PlanningConflict",
    "WorkingHours",
]
