"""Articles, their stock, and installed products."""

from sav_catalog.model.article import Article
from sav_catalog.model.product import Product
from sav_catalog.model.reservation import Reservation
from sav_catalog.model.stock import StockLevel, StockMovement, stock_id

__all__ = ["Article", "Product", "Reservation", "StockLevel", "StockMovement", "stock_id"]
