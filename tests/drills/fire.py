"""The platform under fire: two replicas of everything, with its own broker and database to hurt."""

import signal
import time
from dataclasses import dataclass
from functools import partial

import asyncpg
import pytest
from travelling import Travel, travel

from sav_chassis.settings import Settings
from sav_ops import platform, postgres, processes, rabbitmq, rooms
from sav_ops.home import Home
from sav_ops.verify import verify

REPLICAS = 2


@dataclass
class Fire:
    """Ways to hurt it, and to ask whether it still tells the truth."""

    home: Home
    settings: Settings
    opened: int = 0

    def address(self) -> str:
        return platform.address(self.settings)

    def kill(self, name: str) -> None:
        """As the kernel would: no warning."""
        self.end(name, signal.SIGKILL)

    def end(self, name: str, how: signal.Signals) -> None:
        processes.stop(self.home, [name], how=how, seconds=30)

    def terminate(self, name: str) -> float:
        """SIGTERM; returns the seconds until it was out, 30 where it had to be killed."""
        began = time.monotonic()
        self.end(name, signal.SIGTERM)
        return time.monotonic() - began

    def revive(self, name: str) -> None:
        platform.start(self.home, name)

    def start_server(self, name: str) -> None:
        {"postgres": postgres.start, "rabbitmq": rabbitmq.start}[name](self.home)

    def wait_until_whole(self, seconds: float = 90) -> float:
        """The seconds until every replica of every room works."""
        began = time.monotonic()
        for name in rooms.replicas(REPLICAS):
            self.wait_for(name, seconds)
        return time.monotonic() - began

    def wait_for(self, name: str, seconds: float = 90) -> float:
        """The seconds until both replicas of this one's room work."""
        began = time.monotonic()
        room = rooms.replicas(REPLICAS)[name]
        processes.wait_ready(self.home, name, partial(self._works, room), seconds)
        return time.monotonic() - began

    def _works(self, room: str) -> bool:
        try:
            return platform.ready(room, self.settings, REPLICAS)
        except (OSError, TimeoutError):
            return False

    async def travel(self, count: int, at_once: int = 12) -> Travel:
        seen = await travel(self.address(), count, at_once)
        self.opened += count
        assert len(set(seen.references)) == count
        return seen

    async def expect_truth(self) -> None:
        """Nothing lost, nothing twice: the checker agrees, and there are as many réclamations as were opened."""
        if contradictions := await verify(self.settings, 30):
            pytest.fail("\n".join(contradictions))
        connection = await asyncpg.connect(self.settings.database("claims"))
        try:
            kept = await connection.fetchval("SELECT count(*) FROM reclamation")
        finally:
            await connection.close()
        assert kept == self.opened, f"{kept} réclamations, {self.opened} were opened"

    def known_already(self) -> int:
        """How many deliveries were of events that a reaction had done before."""
        return sum(
            path.read_text().count('"event": "known already"') for path in self.home.logs.glob("*.log")
        )

    def tell(self, capsys: pytest.CaptureFixture[str], what: str) -> None:
        """Shows what the drill measured."""
        with capsys.disabled():
            print(f"\n    {what}")
