"""The calendar service."""

from sav_chassis.service import Service
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView

calendar = Service("calendar")
calendar.mirror(TechnicianView, ReclamationView, InterventionView)
