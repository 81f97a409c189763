"""Moving stock."""

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, StockMovement, stock_id
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.stock import MoveStock, StockLow, StockMoved


@catalog.command(MoveStock)
async def move_stock(cmd: MoveStock, tx: Tx, by: Actor) -> StockLevel:
    """Record stock that came in, went out or was counted anew; also of retired articles, to use them up."""
    # The article before its stock level, as everywhere: another order would risk a deadlock.
    article = await tx.load(Article, cmd.article_id, by)
    level = await tx.load(StockLevel, stock_id(article.id), by)
    was_low = level.is_low
    quantity = -cmd.quantity if cmd.movement == "consume" else cmd.quantity
    level.change(quantity)
    moved = StockMoved(movement=cmd.movement, quantity=quantity, reason=cmd.reason, reference=cmd.reference)
    tx.emit(level, moved)
    if level.is_low and not was_low:
        tx.emit(level, StockLow())
    facts = moved.model_dump(exclude={"state"})
    tx.add(StockMovement(id=tx.new_id(), article_id=article.id, by_id=by.id, at=level.updated_at, **facts))
    if article.in_stock != (level.level > 0):
        article.in_stock = level.level > 0
        tx.emit(article, ArticleChanged())
    return level
