"""The records of interventions: technicians, visits, their photos, reports, attestations, invoices, payments."""

from sav_interventions.model.act import AnsweredAct, Signature
from sav_interventions.model.attestation import Attestation
from sav_interventions.model.invoice import Invoice, Payment, Series
from sav_interventions.model.report import Report
from sav_interventions.model.technician import Technician
from sav_interventions.model.visit import Intervention
from sav_interventions.model.visit_photo import VisitPhoto

__all__ = [
    "AnsweredAct",
    "Attestation",
    "Intervention",
    "Invoice",
    "Payment",
    "Report",
    "Series",
    "Signature",
    "Technician",
    "VisitPhoto",
]
