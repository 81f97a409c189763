"""Appointments, working hours and conflicts."""
