"""The interventions service."""

from sav_chassis.files import check_files
from sav_chassis.service import Service
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims import ClientView

interventions = Service("interventions")
# What a part costs, what a warranty pays, who is invoiced.
interventions.mirror(ArticleView, ProductView, ClientView)
# Invoices are kept as files.
interventions.needs(check_files)
