"""The catalog service."""

from sav_catalog.settings import firm
from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.order import OrderView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView

catalog = Service("catalog")
catalog.mirror(ClientView, ReclamationView, InterventionView, OrderView)
# The firm's country, whose days stock reports count.
catalog.needs(readable(firm))
