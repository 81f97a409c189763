"""The records of interventions: technicians, visits, their photos, reports, attestations, estimates, invoices, payments."""

from sav_interventions.model.act import AnsweredAct, Signature
from sav_interventions.model.attestation import Attestation
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.estimate import Estimate
from sav_interventions.model.invoice import Invoice, Series
from sav_interventions.model.margin import InvoiceMargin
from sav_interventions.model.payment import ClientCredit, Closing, Entry, Ledger, Payment, ProviderNews
from sav_interventions.model.report import Report
from sav_interventions.model.technician import Technician
from sav_interventions.model.visit import Intervention
from sav_interventions.model.visit_photo import VisitPhoto

__all__ = [
    "AnsweredAct",
    "Attestation",
    "ClientCredit",
    "Closing",
    "CreditNote",
    "Entry",
    "Estimate",
    "Intervention",
    "Invoice",
    "InvoiceMargin",
    "Ledger",
    "Payment",
    "ProviderNews",
    "Report",
    "Series",
    "Signature",
    "Technician",
    "VisitPhoto",
]
