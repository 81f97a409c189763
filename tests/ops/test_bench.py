"""The arithmetic of benchmarks: medians, ratios by round, aims; no timing."""

from typing import Any

import pytest

from sav_ops.develop import benchmarking
from sav_ops.home import OpsError

harness = benchmarking.load("harness")
Aim, Contender, Measured = harness.Aim, harness.Contender, harness.Measured

OURS, THEIRS = "SAV", "the plain way"


def measured(ours: list[float], theirs: list[float], *aims: Any) -> Any:
    rounds = {OURS: [{"a/s": value} for value in ours], THEIRS: [{"a/s": value} for value in theirs]}
    return Measured("A measure", aims, rounds)


def test_a_ratio_is_the_median_of_the_ratios_by_round() -> None:
    # The last round was slow for both, which is nobody's fault: the ratio of the medians would be a half.
    aim = Aim("a/s", 0.7, against=THEIRS)
    found = measured([100, 50, 10], [100, 100, 10], aim)
    assert found.against(aim) == 1
    assert found.met(aim)


def test_an_aim_is_missed_on_the_wrong_side_of_its_bound() -> None:
    least, most = Aim("a/s", 2, against=THEIRS), Aim("a/s", 2, "most", THEIRS)
    found = measured([15], [10], least, most)
    assert not found.met(least)
    assert found.met(most)


def test_a_difference_is_taken_by_round_too() -> None:
    aim = Aim("a/s", 10, "most", THEIRS, "difference")
    found = measured([30, 25, 90], [21, 5, 20], aim)
    assert found.against(aim) == 20
    assert not found.met(aim)


def test_an_aim_without_a_baseline_is_about_our_median() -> None:
    aim = Aim("a/s", 60, "most")
    assert measured([50, 70, 55], [1, 1, 1], aim).against(aim) == 55


def test_the_table_shows_every_contender_and_every_verdict() -> None:
    aims = Aim("a/s", 0.5, against=THEIRS), Aim("a/s", 1, "most", THEIRS, "difference")
    text = "\n".join(measured([1200, 1300, 1250], [1000, 1000, 1000], *aims).table())
    assert "| SAV | 1,250 (1,200–1,300) |" in text
    assert "| the plain way | 1,000 |" in text
    assert "a/s against the plain way: 1.25, asked ≥ 0.5 ×: met" in text
    assert "a/s against the plain way: 250.00, asked ≤ +1: **missed**" in text


async def test_every_contender_begins_a_round_in_turn() -> None:
    ran: list[str] = []

    def contender(name: str) -> object:
        async def run() -> dict[str, float]:
            ran.append(name)
            return {"a/s": float(len(ran))}

        return Contender(name, run)

    found = await harness.interleaved("A measure", [contender(OURS), contender(THEIRS)], rounds=2)
    assert ran == [OURS, THEIRS, THEIRS, OURS]
    assert found.median(OURS, "a/s") == 2.5


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert harness.percentile(values, 0.5) == 51
    assert harness.percentile(values, 0.99) == 100
    assert harness.percentile([7.0], 0.99) == 7


def test_an_unknown_measure_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(OpsError, match=r"no measure speed; there are: .*read.*command"):
        benchmarking.chosen(["speed"])
