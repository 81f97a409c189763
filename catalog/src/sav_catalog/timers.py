"""Timers of catalog."""

from uuid import UUID

from sav_catalog.app import catalog
from sav_catalog.model import Article, Product, StockLevel
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.product import ProductChanged
from sav_contracts.catalog.stock import StockLevelChanged


@catalog.timer
async def tell_article(id: UUID, tx: Tx) -> None:
    """Emits the article's view after a migration changed its row."""
    tx.emit(await tx.load(Article, id, SYSTEM), ArticleChanged())


@catalog.timer
async def tell_stock_level(id: UUID, tx: Tx) -> None:
    """The same for a stock level."""
    tx.emit(await tx.load(StockLevel, id, SYSTEM), StockLevelChanged())


@catalog.timer
async def tell_product(id: UUID, tx: Tx) -> None:
    """The same for a product."""
    tx.emit(await tx.load(Product, id, SYSTEM), ProductChanged())
