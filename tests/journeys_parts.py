"""What journeys with parts ask: of the shelf, of what was told, and of what `sav verify` finds."""

from stories import Json, done, items
from system import Person, System

from sav_ops.verify.moment import snapshot
from sav_ops.verify.stock import stock


async def in_stock(manager: Person, article: Json, quantity: int) -> Json:
    moved = {"movement": "receive", "quantity": quantity}
    return done(await manager.post(f"/articles/{article['id']}/stock-movements", moved), 201)


async def shelf(manager: Person, article: Json, *figures: int) -> bool:
    """Whether so many are free, reserved and back-ordered."""
    level = done(await manager.get(f"/articles/{article['id']}/stock"))
    return (level["level"], level["reserved"], level["back_ordered"]) == figures


async def agrees(system: System, *articles: Json) -> bool:
    """Whether `sav verify` finds nothing wrong with the stock of these; other tests leave things of their own."""
    async with snapshot(system.settings) as now:
        found = [line async for line in stock(now)]
    return not any(article["reference"] in line for article in articles for line in found)


async def told(who: Person, template: str, claim: Json) -> list[Json]:
    messages = await items(who, "/notifications", about_id=claim["id"], user_id=who.id)
    return [message for message in messages if message["template"] == template]
