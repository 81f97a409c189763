"""Moving stock."""

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, StockMovement, stock_id
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged, MoveStock, StockLow, StockMoved


@catalog.command(MoveStock)
async def move_stock(cmd: MoveStock, tx: Tx, by: Actor) -> StockLevel:
    """Record what came, went or was found to differ; of retired articles too, until none is left."""
    # The article before its stock, as everywhere: two who lock them in turn wait for each other for ever.
    article = await tx.load(Article, cmd.article_id, by)
    level = await tx.load(StockLevel, stock_id(article.id), by)
    was_low = level.is_low
    quantity = -cmd.quantity if cmd.movement == "consume" else cmd.quantity
    level.change(quantity)
    told = {"movement": cmd.movement, "quantity": quantity, "reason": cmd.reason, "reference": cmd.reference}
    tx.emit(StockMoved, level, **told)
    if level.is_low and not was_low:
        tx.emit(StockLow, level)
    tx.add(StockMovement(id=tx.new_id(), article_id=article.id, by_id=by.id, at=level.updated_at, **told))
    if article.in_stock != (level.level > 0):
        article.in_stock = level.level > 0
        tx.emit(ArticleChanged, article)
    return level
