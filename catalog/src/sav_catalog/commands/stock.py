"""Moving stock."""

from sav_catalog.app import catalog
from sav_catalog.model import StockLevel
from sav_catalog.stock import stock_of
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock import MoveStock


@catalog.command(MoveStock)
async def move_stock(cmd: MoveStock, tx: Tx, by: Actor) -> StockLevel:
    """Record stock that came in, went out or was counted anew; also of retired articles, to use them up.

    Who waits for what came in gets it at once. Where an adjustment leaves fewer pieces than are reserved, those for whom
    they were reserved last wait again.
    """
    async with stock_of(tx, cmd.article_id, by) as stock:
        if cmd.movement == "adjust":
            await stock.adjust(cmd.quantity, cmd.reason, cmd.reference)
        else:
            quantity = -cmd.quantity if cmd.movement == "consume" else cmd.quantity
            stock.move(cmd.movement, quantity, cmd.reason, cmd.reference)
    return stock.level
