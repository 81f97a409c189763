"""A toy service that fails on demand, and the release of what it parked."""

from uuid import UUID

import toy
from toy import BoxFilled
from toy_asking import rows

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx

SEEN = "SELECT version FROM seen ORDER BY position"
PARKED = "SELECT attempts, state FROM task WHERE use = 'parked' ORDER BY position"


class Switch:
    """A toy service whose reaction fails while it is told to, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.failing: set[UUID] = set()
        self.service: Service = toy.bare()
        self.service.on(BoxFilled)(self.see)

    async def see(self, event: BoxFilled, tx: Tx) -> None:
        self.calls += 1
        await toy.note(event, tx)
        await tx.flush()
        if event.state.id in self.failing:
            raise ZeroDivisionError(f"box {event.state.id.int} is cursed")


async def release(stage: Stage) -> None:
    """Lets the parked events come due, as often as they make progress."""
    before = None
    while before != (before := await rows(stage, "SELECT key, attempts, state FROM task ORDER BY key")):
        await stage.database.pool.execute("UPDATE task SET due = now()")
        await stage.reactor.release_due()
