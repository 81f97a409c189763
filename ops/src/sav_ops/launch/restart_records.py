"""The keeper's records of restarts: how often, when, why, and when the next one is due."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sav_ops.home import Home

FILE = "keeper.json"
# Seconds: the first and longest pause before a restart, which doubles; the run time after which it begins at FIRST.
FIRST, LONGEST = 1.0, 60.0
STEADY = 300.0


@dataclass
class Record:
    """The restarts of one process; times are seconds since 1970."""

    restarts: int = 0
    why: str = ""
    died_at: float = 0.0
    pause: float = 0.0
    due: float | None = None


class Restarts:
    """The records of a home, stored in its run/ for `status` and for the next keeper."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._file = home.run / FILE
        self._of = {name: Record(**record) for name, record in read(home).items()}

    def died(self, name: str, why: str, now: float) -> None:
        """Record that the process is gone; further calls change nothing until it is started."""
        record = self._of.setdefault(name, Record())
        if record.due is None:
            steady = now - record.died_at > STEADY
            record.pause = FIRST if steady else min(2 * record.pause, LONGEST)
            record.why, record.died_at, record.due = why, now, now + record.pause
            self._write()

    def runs(self, name: str) -> None:
        """Record that the process runs, whoever started it."""
        record = self._of.get(name)
        if record and record.due is not None:
            record.due = None
            self._write()

    def is_due(self, name: str, now: float) -> bool:
        record = self._of.get(name)
        return bool(record and record.due is not None and record.due <= now)

    def begun(self, names: list[str]) -> None:
        """Record that these are being started."""
        for name in names:
            record = self._of[name]
            record.restarts, record.due = record.restarts + 1, None
        self._write()

    def failed(self, name: str, why: str) -> None:
        """Record why the process could not be started."""
        self._of.setdefault(name, Record()).why = why
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({name: asdict(record) for name, record in self._of.items()}, indent=1))
        new.replace(self._file)


def read(home: Home) -> dict[str, dict[str, Any]]:
    """Return the records by process name; empty if the keeper has restarted nothing."""
    with suppress(FileNotFoundError, ValueError):
        found: dict[str, dict[str, Any]] = json.loads((home.run / FILE).read_text())
        return found
    return {}
