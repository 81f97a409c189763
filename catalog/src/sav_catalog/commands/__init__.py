"""What changes articles, their stock, and installed products."""

from sav_catalog.commands import article, product, stock

__all__ = ["article", "product", "stock"]
