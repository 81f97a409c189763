"""The best way to give times to many visits at once: as little as possible is moved, and nobody is at two places."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sav_contracts.calendar.slots import FreeSlot

# How many times are tried, once there is a plan: the first one is good already, the best of few visits needs fewer.
MOST_TRIED = 20_000


class Cost(NamedTuple):
    """What a plan costs, the worst first: visits without a time, with another one, minutes moved, and so on."""

    unplaced: int
    moved: int
    minutes: int
    strangers: int
    given_away: int

    def plus(self, other: "Cost") -> "Cost":
        return Cost(*(one + another for one, another in zip(self, other, strict=True)))


class Option(NamedTuple):
    """A time that a visit could have, and what that costs."""

    time: FreeSlot
    cost: Cost


FREE = Cost(0, 0, 0, 0, 0)
UNPLACED = Cost(1, 0, 0, 0, 0)
Clash = Callable[[FreeSlot, FreeSlot], bool]


def best_plan(visits: Sequence[Sequence[Option]], clash: Clash) -> list[FreeSlot | None]:
    """One of its options for each visit, none clashing with another's; None where a visit gets none.

    Of all such plans the cheapest, as long as they are few; else the cheapest of those that were looked at, which
    begin with the best option of each.
    """
    # Whoever has the fewest ways chooses first.
    order = sorted(range(len(visits)), key=lambda visit: (len(visits[visit]), visit))
    ways = [sorted(visits[visit], key=lambda option: option.cost) for visit in order]
    search = _Search(ways, clash)
    search.go_on(0, FREE)
    found: list[FreeSlot | None] = [None] * len(visits)
    for visit, time in zip(order, search.best, strict=True):
        found[visit] = time
    return found


class _Search:
    """Depth first; what can only become dearer than the best plan so far is left."""

    def __init__(self, ways: list[list[Option]], clash: Clash) -> None:
        self.best: list[FreeSlot | None] = [None] * len(ways)
        self._cost = Cost(len(ways) + 1, 0, 0, 0, 0)
        self._ways = ways
        self._clash = clash
        self._chosen: list[FreeSlot | None] = []
        self._tried = 0
        # What the visits from each one on cost at least.
        self._least = [FREE]
        for options in reversed(ways):
            cheapest = options[0].cost if options else UNPLACED
            self._least.insert(0, self._least[0].plus(cheapest))

    def go_on(self, visit: int, cost: Cost) -> None:
        if cost.plus(self._least[visit]) >= self._cost:
            return
        if visit == len(self._ways):
            self.best, self._cost = list(self._chosen), cost
            return
        for option in self._ways[visit]:
            self._tried += 1
            if self._tried > MOST_TRIED and self._cost.unplaced <= len(self._ways):
                return
            if not any(time and self._clash(option.time, time) for time in self._chosen):
                self._try(visit, option.time, cost.plus(option.cost))
        self._try(visit, None, cost.plus(UNPLACED))

    def _try(self, visit: int, time: FreeSlot | None, cost: Cost) -> None:
        self._chosen.append(time)
        self.go_on(visit + 1, cost)
        self._chosen.pop()
