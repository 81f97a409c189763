"""The claims service."""

from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_claims.settings import firm
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView

claims = Service("claims")
claims.mirror(AccountView, ArticleView, TechnicianView, ProductView, InterventionView)
# The firm's country, whose years are in references.
claims.needs(readable(firm))
