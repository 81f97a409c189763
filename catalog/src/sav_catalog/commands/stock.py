"""Moving stock."""

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, StockMovement, stock_id
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.stock import Movement, MoveStock, StockLow, StockMoved


@catalog.command(MoveStock)
async def move_stock(cmd: MoveStock, tx: Tx, by: Actor) -> StockLevel:
    """Record stock that came in, went out or was counted anew; also of retired articles, to use them up."""
    # The article before its stock level, as everywhere: another order would risk a deadlock.
    article = await tx.load(Article, cmd.article_id, by)
    level = await tx.load(StockLevel, stock_id(article.id), by)
    quantity = -cmd.quantity if cmd.movement == "consume" else cmd.quantity
    move(tx, article, level, cmd.movement, quantity, cmd.reason, cmd.reference, by)
    return level


def move(
    tx: Tx,
    article: Article,
    level: StockLevel,
    movement: Movement,
    quantity: int,
    reason: str | None,
    reference: str | None,
    by: Actor,
) -> StockMovement:
    """Changes a stock level by `quantity`, whoever asks for it. Both records are locked, the article first.

    Raises `NotEnoughStock`. Emits `StockMoved`, then `StockLow` where the level falls below its minimum, and
    `ArticleChanged` where the first piece comes or the last one goes.
    """
    was_low = level.is_low
    level.change(quantity)
    moved = StockMoved(movement=movement, quantity=quantity, reason=reason, reference=reference)
    tx.emit(level, moved)
    facts = moved.model_dump(exclude={"state"})
    # It moved at the time of that event; a further event has a later one.
    row = tx.add(
        StockMovement(id=tx.new_id(), article_id=article.id, by_id=by.id, at=level.updated_at, **facts)
    )
    if level.is_low and not was_low:
        tx.emit(level, StockLow())
    if article.in_stock != (level.level > 0):
        article.in_stock = level.level > 0
        tx.emit(article, ArticleChanged())
    return row
