"""The interventions service."""

from sav_chassis.files import check_files
from sav_chassis.service import Service
from sav_chassis.startup_checks import readable
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_interventions.settings import billing, check_moves_money, online_payments

interventions = Service("interventions")
# Articles for the prices of parts, what they cost for margins, products for their warranty, client profiles for the buyer of an invoice,
# réclamations and clients' accounts for the visits that are planned by hand.
interventions.mirror(ArticleView, ArticleCostView, ProductView, ClientView, ReclamationView, AccountView)
# The PDFs of invoices are stored there.
interventions.needs(check_files)
interventions.needs(readable(billing))
interventions.needs(readable(online_payments))
interventions.needs(check_moves_money)
