"""The keeper: the supervisor that `./sav up` leaves running, parent of all other processes of the platform.

It restarts a process that died, and kills one that no longer answers, so that it is restarted. It is small and does
little itself: a new process (`starter`) makes every start with the current code and ends; what it started becomes
the keeper's child. While `up`, `down` or `restart` holds the home's lock, the keeper restarts nothing.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from ctypes import CDLL
from dataclasses import dataclass
from typing import Any

from sav_ops import home as homes
from sav_ops.home import Home, OpsError
from sav_ops.launch import keeper_client, liveness, processes
from sav_ops.launch.restart_records import Restarts

LOOK_EVERY = 0.3
ASK_EVERY = 3.0
# Seconds after its start in which a process may stay silent.
MAY_START = 60.0
PR_SET_CHILD_SUBREAPER = 36


class Keeper:
    """Supervises the processes that have a pid file in this home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.restarts = Restarts(home)
        # By process id: the running processes; how children ended; why the keeper killed one.
        self._lives: dict[int, ProcessHealth] = {}
        self._ends: dict[int, str] = {}
        self._killed: dict[int, str] = {}
        self._starters: set[int] = set()

    async def run(self) -> None:
        """Work until SIGTERM; the supervised processes run on."""
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        with keeper_client.reached(self.home) as where:
            with suppress(FileNotFoundError):
                os.unlink(where)
            server = await asyncio.start_unix_server(self._hear, where, limit=2**24)
        async with server:
            works = [asyncio.create_task(work()) for work in (self.look, self.ask)]
            waiting = asyncio.create_task(stopped.wait())
            await asyncio.wait([waiting, *works], return_when=asyncio.FIRST_COMPLETED)
            for work in works:
                if work.done():
                    work.result()  # an error ends the keeper, and `status` says that nothing watches
                work.cancel()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # the client may have gone away
            if asked := await reader.readline():
                writer.write(json.dumps(await self.answer(json.loads(asked))).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def answer(self, asked: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Carry out an order (`Spawn` or `Start`); return the `pid`, or the `problem`."""
        try:
            if "Spawn" in asked:
                return {"pid": processes.spawn(keeper_client.Spawn(**asked["Spawn"]))}
            order = keeper_client.Start(**asked["Start"])
            homes.GIVEN.clear()
            homes.GIVEN.update(order.given)
            return {"problem": await self.start(order.names) if order.names else None}
        except (OSError, OpsError) as error:
            return {"problem": str(error)}

    async def start(self, names: list[str]) -> str | None:
        """Start these in a new starter process; return the reason if that fails."""
        starter = self._starter()
        try:
            order = json.dumps(keeper_client.Start(names, homes.GIVEN)._asdict())
            _, wrong = await asyncio.to_thread(starter.communicate, order)
        finally:
            self._starters.discard(starter.pid)
        return (wrong.strip() or f"exit code {starter.returncode}") if starter.returncode else None

    def _starter(self) -> "subprocess.Popen[str]":
        starter = subprocess.Popen(
            [sys.executable, "-P", "-m", "sav_ops.launch.starter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # The system shows these variables as those of every fork: they must hold no keys.
            env=keeper_client.bare_environment(self.home),
            text=True,
        )
        self._starters.add(starter.pid)
        return starter

    async def look(self) -> None:
        """Restart, for ever, each dead process when its pause has passed."""
        while True:
            self.bury()
            now, lives = time.time(), self._lives
            self._lives = {}
            for name in processes.expected_processes(self.home):
                if pid := processes.running(self.home, name):
                    self._lives[pid] = lives.get(pid) or ProcessHealth(time.monotonic())
                    self.restarts.runs(name)
                elif why := self.why(name):
                    self.restarts.died(name, why, now)
            if any(self.restarts.is_due(name, now) for name in self.dead()):
                await self.revive(now)
            await asyncio.sleep(LOOK_EVERY)

    def dead(self) -> list[str]:
        return [
            name
            for name in processes.expected_processes(self.home)
            if processes.running(self.home, name) is None
        ]

    async def revive(self, now: float) -> None:
        with self.home.lock(wait=False) as ours:
            if not ours:
                return
            due = [name for name in self.dead() if self.restarts.is_due(name, now)]
            if due:
                self.restarts.begun(due)
                print(f"{time.strftime('%F %T')} starting again: {', '.join(due)}", flush=True)
                if wrong := await self.start(due):
                    print(wrong, flush=True)
                    for name in self.dead():
                        self.restarts.failed(name, wrong)

    def why(self, name: str) -> str | None:
        """Return how the last process of this name ended; None while its threads are still ending.

        Only its parent can know, which is the keeper.
        """
        pid = processes.noted(self.home, name)
        with suppress(ChildProcessError):
            if pid:
                end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
                if end is None:
                    return None
                self._ends[pid] = describe_end(end)
        return self._killed.get(pid) or self._ends.get(pid) or "it ended"

    def bury(self) -> None:
        """Reap the children that have ended, except starters: `start` waits for these."""
        with suppress(ChildProcessError):
            while end := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if end.si_pid in self._starters:
                    return
                os.waitpid(end.si_pid, 0)
                self._ends[end.si_pid] = describe_end(end)

    async def ask(self) -> None:
        """Ask every process, for ever, whether it works."""
        while True:
            names = [
                name for name in processes.expected_processes(self.home) if processes.running(self.home, name)
            ]
            await asyncio.gather(*(self.examine(name) for name in names if name != keeper_client.KEEPER))
            await asyncio.sleep(ASK_EVERY)

    async def examine(self, name: str) -> None:
        """Kill a process that has failed to answer `liveness.TRIES` times in a row."""
        pid = processes.running(self.home, name)
        wrong = await liveness.fault(self.home, name)
        life = self._lives.get(pid or 0)
        if pid is None or life is None or pid != processes.running(self.home, name):
            return
        if wrong is None:
            life.has_answered, life.failures = True, 0
            return
        if life.has_answered or time.monotonic() - life.since > MAY_START:
            life.failures += 1
        if life.failures >= liveness.TRIES and name in processes.expected_processes(self.home):
            self._killed[pid] = wrong
            processes.send(self.home, name, signal.SIGKILL)


@dataclass
class ProcessHealth:
    """What the keeper knows of a running process: since when (monotonic seconds), and how it answered."""

    since: float
    has_answered: bool = False
    failures: int = 0


def describe_end(end: os.waitid_result) -> str:
    if end.si_code == os.CLD_EXITED:
        return f"ended with exit code {end.si_status}"
    return f"ended by signal {end.si_status} ({signal.strsignal(end.si_status)})"


def main() -> None:
    if CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("this system gives orphans to nobody but init")
    os.umask(0o077)  # inherited by its children: only this user reads what they write
    asyncio.run(Keeper(Home.default()).run())


if __name__ == "__main__":
    main()
