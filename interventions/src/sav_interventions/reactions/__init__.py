"""What interventions does about news from other services."""

from sav_interventions.reactions import billing, technician, visit, warranty

__all__ = ["billing", "technician", "visit", "warranty"]
