"""Reactions of the calendar to events about technicians, visits and réclamations."""
