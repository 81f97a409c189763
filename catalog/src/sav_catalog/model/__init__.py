"""Articles, their imports and their stock, stocktakes, and installed products."""

from sav_catalog.model.article import Article
from sav_catalog.model.article_cost import ArticleCost, cost_id
from sav_catalog.model.article_import import ArticleImport
from sav_catalog.model.product import Product
from sav_catalog.model.reservation import Reservation
from sav_catalog.model.stock import StockLevel, StockMovement, stock_id
from sav_catalog.model.stocktake import Stocktake, StocktakeLine

__all__ = [
    "Article",
    "ArticleCost",
    "ArticleImport",
    "Product",
    "Reservation",
    "StockLevel",
    "StockMovement",
    "Stocktake",
    "StocktakeLine",
    "cost_id",
    "stock_id",
]
