"""The interventions service."""

from sav_chassis.files import check_files
from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_interventions.settings import billing

interventions = Service("interventions")
# Articles for the prices of parts, products for their warranty, client profiles for the buyer of an invoice,
# réclamations and clients' accounts for the visits that are planned by hand.
interventions.mirror(ArticleView, ProductView, ClientView, ReclamationView, AccountView)
# The PDFs of invoices are stored there.
interventions.needs(check_files)
interventions.needs(readable(billing))
