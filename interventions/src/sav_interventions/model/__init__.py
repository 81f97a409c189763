"""The records of interventions: technicians, visits, reports, invoices, payments."""

from sav_interventions.model.invoice import Invoice, Payment, Series
from sav_interventions.model.report import Report
from sav_interventions.model.technician import Technician
from sav_interventions.model.visit import Intervention

__all__ = ["Intervention", "Invoice", "Payment", "Report", "Series", "Technician"]
