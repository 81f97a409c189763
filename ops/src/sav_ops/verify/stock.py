"""Stock: levels, the movements that make them up, the events of these, and reservations."""

from collections.abc import AsyncIterator

from sav_contracts.catalog.stock import StockMoved
from sav_ops.replay import event_logs
from sav_ops.verify.moment import BATCH, Snapshot, decoded

UNBALANCED = """
SELECT reference, level, moved FROM (
    SELECT s.reference, s.level, coalesce(sum(m.quantity), 0) AS moved
    FROM stock_level s LEFT JOIN stock_movement m USING (article_id) GROUP BY s.id) counted
WHERE level <> moved ORDER BY reference"""
# What is said of the pieces that are reserved, and of those that are waited for.
RESERVED = """
SELECT * FROM (
    SELECT s.reference, s.reserved, s.back_ordered,
        (SELECT coalesce(-sum(m.quantity), 0) FROM stock_movement m
            WHERE m.article_id = s.article_id AND m.movement IN ('reserve', 'release')) AS moved,
        coalesce(sum(r.quantity - r.used) FILTER (WHERE r.status = 'reserved'), 0) AS held,
        coalesce(sum(r.quantity - r.used) FILTER (WHERE r.status = 'back_ordered'), 0) AS awaited
    FROM stock_level s LEFT JOIN reservation r USING (article_id) GROUP BY s.id) counted
WHERE reserved <> moved OR reserved <> held OR back_ordered <> awaited ORDER BY reference"""
# By the copy of what it is for; `public`, since `read_sides` has a temporary table of that name.
LEFT_BEHIND = """
SELECT r.reference, r.for_reference, r.quantity - r.used AS rest, r.status
FROM reservation r JOIN public.view v ON v.kind = r.for_kind AND v.id = r.for_id
WHERE r.status IN ('reserved', 'back_ordered') AND NOT v.open ORDER BY r.for_reference, r.reference"""
COLUMNS = ("article_id", "movement", "quantity", "reason", "reference", "by_id", "at")
MOVEMENT_EVENTS = """
CREATE TEMP TABLE told_movement ON COMMIT DROP AS
SELECT article_id, movement, quantity, reason, reference, by_id, at FROM stock_movement WHERE false"""
MOVEMENTS_THAT_DIFFER = f"""
SELECT {{what}} AS what, * FROM (
    SELECT {", ".join(COLUMNS)} FROM {{this}} EXCEPT ALL SELECT {", ".join(COLUMNS)} FROM {{other}}) unequal
ORDER BY at"""


async def stock(moment: Snapshot) -> AsyncIterator[str]:
    """Check that every level is the sum of its movements, and that events, movements and reservations agree."""
    database = moment.databases["catalog"]
    moment.checked["stock movements"] = await database.fetchval("SELECT count(*) FROM stock_movement")
    async for row in database.cursor(UNBALANCED, prefetch=BATCH):
        yield f"catalog: the stock of {row['reference']} is {row['level']}, its movements make {row['moved']}"
    moment.checked["reservations"] = await database.fetchval("SELECT count(*) FROM reservation")
    async for row in database.cursor(RESERVED, prefetch=BATCH):
        yield (
            f"catalog: {row['reserved']} of {row['reference']} are reserved, {row['moved']} by its movements,"
            f" {row['held']} by its reservations; {row['back_ordered']} are back-ordered, {row['awaited']} by these"
        )
    async for row in database.cursor(LEFT_BEHIND, prefetch=BATCH):
        yield f"catalog: {row['for_reference']} is over, and {row['rest']} of {row['reference']} are {row['status']} for it"
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
