"""Stock: levels, the movements that make them up, and the events of these."""

from collections.abc import AsyncIterator

from sav_contracts.catalog.stock import StockMoved
from sav_ops.replay import event_logs
from sav_ops.verify.moment import BATCH, Snapshot, decoded

UNBALANCED = """
SELECT reference, level, moved FROM (
    SELECT s.reference, s.level, coalesce(sum(m.quantity), 0) AS moved
    FROM stock_level s LEFT JOIN stock_movement m USING (article_id) GROUP BY s.id) counted
WHERE level <> moved ORDER BY reference"""
COLUMNS = ("article_id", "movement", "quantity", "reason", "reference", "by_id", "at")
MOVEMENT_EVENTS = """
CREATE TEMP TABLE told_movement ON COMMIT DROP AS
SELECT article_id, movement, quantity, reason, reference, by_id, at FROM stock_movement WHERE false"""
MOVEMENTS_THAT_DIFFER = f"""
SELECT {{what}} AS what, * FROM (
    SELECT {", ".join(COLUMNS)} FROM {{this}} EXCEPT ALL SELECT {", ".join(COLUMNS)} FROM {{other}}) unequal
ORDER BY at"""


async def stock(moment: Snapshot) -> AsyncIterator[str]:
    """Check that every level is the sum of its movements, and that movements and their events agree."""
    database = moment.databases["catalog"]
    moment.checked["stock movements"] = await database.fetchval("SELECT count(*) FROM stock_movement")
    async for row in database.cursor(UNBALANCED, prefetch=BATCH):
        yield f"catalog: the stock of {row['reference']} is {row['level']}, its movements make {row['moved']}"
    await database.execute(MOVEMENT_EVENTS)
    async for envelopes in event_logs.read(database, [StockMoved.type_name()], BATCH):
        differences = [
            (
                event.state.article_id,
                event.movement,
                event.quantity,
                event.reason,
                event.reference,
                envelope.actor_id,
                envelope.at,
            )
            for one in map(decoded, envelopes)
            if one
            for envelope, event in [one]
            if isinstance(event, StockMoved)
        ]
        await database.copy_records_to_table("told_movement", records=differences, columns=COLUMNS)
    for what, this, other in (
        ("of no event", "stock_movement", "told_movement"),
        ("missing", "told_movement", "stock_movement"),
    ):
        query = MOVEMENTS_THAT_DIFFER.format(what=f"'{what}'", this=this, other=other)
        async for row in database.cursor(query, prefetch=BATCH):
            yield f"catalog: the movement of {row['quantity']} of article {row['article_id']} at {row['at']:%F %T}, {row['movement']} for {row['reference'] or row['reason'] or 'nothing'}, is {what}"
