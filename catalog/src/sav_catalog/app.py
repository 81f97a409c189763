"""The catalog service."""

from sav_chassis.service import Service
from sav_contracts.claims import ClientView, ReclamationView
from sav_contracts.interventions.visit import InterventionView

catalog = Service("catalog")
catalog.mirror(ClientView, ReclamationView, InterventionView)
