"""The claims service."""

from sav_chassis.service import Service
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.interventions.technician import TechnicianView

claims = Service("claims")
claims.mirror(ArticleView, TechnicianView, ProductView)
