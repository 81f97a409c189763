"""Visits in time: working hours, free times, appointments, conflicts."""
