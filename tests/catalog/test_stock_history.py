"""Whatever happens to the stock, in whatever order, twice or cut off: it is what its movements say, and nobody's is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import groupby
from random import Random
from typing import Any
from uuid import UUID, uuid5

import pytest
import world
from given_catalog import BOILER, JOINT, article, claim, stock
from given_stock import closed, line, used

from sav_chassis.envelope import Envelope
from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.article import ChangeArticle
from sav_contracts.catalog.stock import MoveStock, StockLevelView, StockLow, StockMoved, StockOverdrawn
from sav_contracts.claims.parts_list import PartsValidated
from sav_contracts.claims.reclamation import ReclamationClosed
from sav_contracts.messages import Command, Event
from sav_contracts.parts import PartNeeded

Happening = Envelope | Command[Any]

ARTICLES = (BOILER, JOINT)
CLAIMS = [UUID(int=1000 + number) for number in range(6)]
STEPS = 60
BALANCE = """
SELECT s.article_id, s.level, s.reserved, s.back_ordered, s.minimum_stock, a.in_stock,
    (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.article_id = s.article_id) AS moved,
    (SELECT coalesce(-sum(quantity), 0) FROM stock_movement m
        WHERE m.article_id = s.article_id AND movement IN ('reserve', 'release')) AS reserve_moved,
    (SELECT coalesce(sum(quantity - used), 0) FROM reservation r
        WHERE r.article_id = s.article_id AND status = 'reserved') AS held,
    (SELECT coalesce(sum(quantity - used), 0) FROM reservation r
        WHERE r.article_id = s.article_id AND status = 'back_ordered') AS awaited
FROM stock_level s JOIN article a ON a.id = s.article_id"""


class History:
    """Makes up what happens, and remembers what has to come of it."""

    def __init__(self, stage: Stage, chance: Random) -> None:
        self.stage = stage
        self.chance = chance
        self.versions = dict.fromkeys(CLAIMS, 3)
        self.editions = dict.fromkeys(CLAIMS, 0)
        # What each réclamation needs by its newest list; nothing once it is over.
        self.needs: dict[UUID, tuple[PartNeeded, ...]] = {}
        self.used = 0
        self.visits = 0

    async def step(self) -> Happening:
        """What happens next; the copies know of it before anybody hears it."""
        kinds: list[Callable[[], Awaitable[Happening]]] = [
            *(self.moves, self.moves, self.minimum, self.validates),
            *(self.validates, self.ends, self.visit, self.visit),
        ]
        return await self.chance.choice(kinds)()

    async def moves(self) -> MoveStock:
        movement = self.chance.choice(["receive", "receive", "adjust", "consume", "return"])
        quantity = self.chance.randint(1, 6)
        if movement == "adjust":
            quantity *= self.chance.choice([1, -1])
        article_id = self.chance.choice(ARTICLES)
        return MoveStock.model_validate(
            {"article_id": article_id, "movement": movement, "quantity": quantity, "reason": "inventaire"}
        )

    async def minimum(self) -> ChangeArticle:
        return ChangeArticle(article_id=self.chance.choice(ARTICLES), minimum_stock=self.chance.randint(0, 5))

    async def validates(self) -> Envelope:
        id = self.chance.choice(CLAIMS)
        self.versions[id] += 1
        self.editions[id] += 1
        needed = self.chance.sample(ARTICLES, self.chance.randint(0, 2))
        self.needs[id] = tuple(line(id, self.chance.randint(1, 5), one) for one in needed)
        edition = self.editions[id]
        state = claim(
            product_id=None, id=id, version=self.versions[id], parts_edition=edition, parts_validated=edition
        )
        await self.stage.knows(state)
        return enveloped(PartsValidated(state=state, edition=edition, lines=self.needs[id]))

    async def ends(self) -> Envelope:
        """It may be opened again: by a list that is validated later."""
        id = self.chance.choice(CLAIMS)
        self.versions[id] += 1
        self.needs[id] = ()
        edition = self.editions[id]
        state = claim(
            product_id=None,
            id=id,
            version=self.versions[id],
            status="closed",
            parts_edition=edition,
            parts_validated=edition,
        )
        await self.stage.knows(state)
        return enveloped(ReclamationClosed(state=state))

    async def visit(self) -> Envelope:
        self.visits += 1
        parts = [used(one, self.chance.randint(1, 3)) for one in self.chance.sample(ARTICLES, 2)]
        self.used += sum(part.quantity for part in parts)
        id = UUID(int=9000 + self.visits)
        return enveloped(closed(*parts, of_claim=self.chance.choice(CLAIMS), id=id), world.marie)


async def happens(stage: Stage, what: Happening, key: str) -> None:
    """A command is repeated with its key until it is answered."""
    if isinstance(what, Envelope):
        await stage.hears(what)
        return
    outcome = await stage.when(what, by=world.marie, key=key, seconds=30)
    assert outcome.problem is None or outcome.problem.code == "not_enough_stock", outcome.problem


async def cut_off(work: Awaitable[None], seconds: float) -> bool:
    """As a process that is killed meanwhile leaves it: begun, and perhaps not committed. Whether it was not finished."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return task.cancelled()


async def log(stage: Stage) -> list[tuple[Envelope, Event]]:
    rows = await stage.database.pool.fetch("SELECT * FROM event_log ORDER BY position")
    envelopes = [Envelope.model_validate(dict(row)) for row in rows]
    return [(envelope, envelope.event()) for envelope in envelopes]


@pytest.mark.parametrize("seed", range(1, 5))
async def test_the_stock_is_what_its_movements_say_whatever_happened(stage: Stage, seed: int) -> None:
    chance = Random(seed)
    for id, reference in zip(ARTICLES, ("CH-24", "J-1"), strict=True):
        await stage.given(article(id=id, reference=reference), stock(article_id=id))
    history = History(stage, chance)
    todo: list[tuple[Happening, str]] = []
    unfinished = 0
    for number in range(STEPS):
        todo.append((await history.step(), f"{seed} {number}"))
        if len(todo) < 10 and number < STEPS - 1:
            continue
        # Some are tried before, and cut off in the middle; all come in another order, some twice, many at once.
        unfinished += sum(
            await asyncio.gather(
                *(
                    cut_off(happens(stage, *one), chance.uniform(0, 0.03))
                    for one in todo
                    if chance.random() < 0.5
                )
            )
        )
        again = [one for one in todo if chance.random() < 0.3]
        both = chance.sample([*todo, *again], len(todo) + len(again))
        await asyncio.gather(*(happens(stage, *one) for one in both))
        todo = []
    assert unfinished
    assert await stage.parked() == []
    await check_balance(stage)
    await check_needs(stage, history)
    await check_events(stage, history)


async def check_balance(stage: Stage) -> None:
    for row in await stage.database.pool.fetch(BALANCE):
        assert row["level"] == row["moved"] >= 0
        assert row["reserved"] == row["reserve_moved"] == row["held"] >= 0
        assert row["back_ordered"] == row["awaited"] >= 0
        assert row["in_stock"] == (row["level"] > 0)


async def check_needs(stage: Stage, history: History) -> None:
    """Whoever needs something has it or waits for it, and nobody else does."""
    rows = await stage.database.pool.fetch("SELECT * FROM reservation ORDER BY article_id, place")
    found = {row["line_id"]: row for row in rows}
    needed = {one.id: one.quantity for lines in history.needs.values() for one in lines}
    for id, quantity in needed.items():
        assert found[id]["quantity"] == max(quantity, found[id]["used"])
        assert found[id]["status"] in ("reserved", "back_ordered", "used")
        assert (found[id]["status"] == "used") == (found[id]["quantity"] == found[id]["used"])
    assert {row["line_id"] for row in rows if row["status"] in ("reserved", "back_ordered")} <= needed.keys()
    # The first of those who wait needs more than there is.
    for article_id, waiting in groupby(
        (row for row in rows if row["status"] == "back_ordered"), lambda row: row["article_id"]
    ):
        level = await stage.database.pool.fetchval(
            "SELECT level FROM stock_level WHERE article_id = $1", article_id
        )
        first = next(waiting)
        assert first["quantity"] - first["used"] > level


async def check_events(stage: Stage, history: History) -> None:
    """The events say the same: every piece that was used counts once, and low stock was told at each crossing."""
    told = await log(stage)
    moved = [event for _, event in told if isinstance(event, StockMoved)]
    missing = sum(event.used - event.there for _, event in told if isinstance(event, StockOverdrawn))
    consumed = -sum(
        event.quantity for event in moved if event.movement == "consume" and event.reason == "built_in"
    )
    assert consumed + missing == history.used
    assert missing < history.used, "the stock never had anything"
    for article_id in ARTICLES:
        its = [(one, event) for one, event in told if one.subject == uuid5(article_id, "stock")]
        level = sum(event.quantity for _, event in its if isinstance(event, StockMoved))
        states = [event.state for _, event in its]
        assert level == states[-1].level
        was_low = False
        for _, same in groupby(its, lambda pair: pair[0].causation_id):
            events = [event for _, event in same]
            state = events[-1].state
            assert isinstance(state, StockLevelView)
            low = state.level < state.minimum_stock
            assert sum(isinstance(event, StockLow) for event in events) == (low and not was_low)
            was_low = low
