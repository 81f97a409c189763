"""The interventions service."""

from sav_chassis.files import check_files
from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_interventions.settings import billing

interventions = Service("interventions")
# Articles for the prices of parts, products for their warranty, client profiles for the buyer of an invoice.
interventions.mirror(ArticleView, ProductView, ClientView)
# The PDFs of invoices are stored there.
interventions.needs(check_files)
interventions.needs(readable(billing))
