"""Technicians and their visits."""
