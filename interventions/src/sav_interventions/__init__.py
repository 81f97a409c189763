"""Technicians, their visits and reports, and invoices."""
