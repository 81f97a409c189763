"""Visits in time. Empty until its first command lands."""
