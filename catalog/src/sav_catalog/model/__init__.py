"""Articles, their imports and their stock, and installed products."""

from sav_catalog.model.article import Article
from sav_catalog.model.article_import import ArticleImport
from sav_catalog.model.product import Product
from sav_catalog.model.stock import StockLevel, StockMovement, stock_id

__all__ = ["Article", "ArticleImport", "Product", "StockLevel", "StockMovement", "stock_id"]
