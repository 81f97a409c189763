"""The notifier service."""

from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_contracts.auth.account import AccountView
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.order import OrderView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.payment import PaymentView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.reporting import FeedbackView
from sav_notifier.mail import check_mail
from sav_notifier.settings import sender

notifier = Service("notifier")
notifier.mirror(
    AccountView,
    AppointmentView,
    ArticleView,
    AttestationView,
    ClientView,
    ConflictView,
    EstimateView,
    FeedbackView,
    InterventionView,
    InvoiceView,
    OrderView,
    PaymentView,
    ProductView,
    ReclamationView,
    ReportView,
    TechnicianView,
)
notifier.needs(check_mail)
notifier.needs(readable(sender))
