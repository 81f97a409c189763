"""What people do about visits."""

from sav_interventions.commands import invoice, report, visit, warranty, work

__all__ = ["invoice", "report", "visit", "warranty", "work"]
