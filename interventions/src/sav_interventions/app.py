"""The interventions service."""

from sav_chassis.files import check_files
from sav_chassis.service import Service
from sav_contracts.catalog import ArticleView, ProductView
from sav_contracts.claims import ClientView

interventions = Service("interventions")
# What a part costs, what a warranty pays, who is invoiced.
interventions.mirror(ArticleView, ProductView, ClientView)
# Invoices are kept as files.
interventions.needs(check_files)
