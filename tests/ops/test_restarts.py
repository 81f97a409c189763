"""When the keeper starts again what dies, and what it remembers of that."""

from pathlib import Path

import pytest

from sav_ops.home import Home
from sav_ops.launch import restart_records
from sav_ops.launch.restart_records import Restarts


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def dies(kept: Restarts, now: float) -> float:
    """The seconds that it waits for its start."""
    kept.died("claims", "ended by signal 9", now)
    [record] = [restart_records.read(kept.home)["claims"]]
    pause: float = record["due"] - now
    assert not kept.is_due("claims", record["due"] - 0.1)
    assert kept.is_due("claims", record["due"])
    kept.begun(["claims"])
    return pause


def test_who_dies_again_and_again_waits_longer_and_longer(home: Home) -> None:
    kept, now, pauses = Restarts(home), 1000.0, []
    for _ in range(8):
        pauses.append(dies(kept, now))
        now += pauses[-1] + 1
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_who_worked_for_long_begins_anew(home: Home) -> None:
    kept = Restarts(home)
    dies(kept, 1000)
    dies(kept, 1002)
    assert dies(kept, 1002 + restart_records.STEADY + 1) == 1


def test_the_next_keeper_knows_what_the_last_one_did(home: Home) -> None:
    dies(Restarts(home), 1000)
    assert dies(Restarts(home), 1002) == 2
    assert restart_records.read(home)["claims"]["restarts"] == 2


def test_what_somebody_else_has_started_is_not_due(home: Home) -> None:
    kept = Restarts(home)
    kept.died("claims", "it ended", 1000)
    kept.runs("claims")
    assert not kept.is_due("claims", 2000)
