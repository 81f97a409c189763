"""How a measure is taken: ours and every baseline in turn, five rounds, the median of each and of the ratios by round."""

import platform
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from operator import ge, le
from typing import Literal, NamedTuple

import psutil

from sav_ops.terminal.console import out

# What one run of a contender says: figures by name with their unit ("requests/s", "p50 ms").
Figures = dict[str, float]
Run = Callable[[], Awaitable[Figures]]


class Contender(NamedTuple):
    """Who is measured, and how one run of it goes; the first of a measure is ours."""

    name: str
    run: Run


class Aim(NamedTuple):
    """What a figure should be: beside a baseline as a ratio or a difference, or by itself."""

    figure: str
    bound: float
    at: Literal["least", "most"] = "least"
    against: str | None = None
    how: Literal["ratio", "difference"] = "ratio"

    def __str__(self) -> str:
        sign = "≥" if self.at == "least" else "≤"
        if self.against is None:
            return f"{sign} {self.bound:g}"
        return f"{sign} {self.bound:g} ×" if self.how == "ratio" else f"{sign} +{self.bound:g}"


@dataclass
class Measured:
    """The figures of all rounds of a measure."""

    title: str
    aims: Sequence[Aim]
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    # What was found beside the figures: losses, doubles, what bounds it.
    notes: list[str] = field(default_factory=list)

    @property
    def ours(self) -> str:
        return next(iter(self.rounds))

    def median(self, contender: str, figure: str) -> float:
        return statistics.median(figures[figure] for figures in self.rounds[contender])

    def spread(self, contender: str, figure: str) -> str:
        """`1,234 (1,200–1,300)`: the median, and the least and the most of all rounds."""
        values = [figures[figure] for figures in self.rounds[contender]]
        least, most = number(min(values)), number(max(values))
        middle = number(statistics.median(values))
        return middle if least == most else f"{middle} ({least}–{most})"

    def against(self, aim: Aim) -> float:
        """The median over the rounds of ours against the baseline of the same round."""
        ours = [figures[aim.figure] for figures in self.rounds[self.ours]]
        if aim.against is None:
            return statistics.median(ours)
        pairs = zip(ours, [figures[aim.figure] for figures in self.rounds[aim.against]], strict=True)
        if aim.how == "difference":
            return statistics.median(our - their for our, their in pairs)
        return statistics.median(our / their if their else float("inf") for our, their in pairs)

    def met(self, aim: Aim) -> bool:
        return bool((ge if aim.at == "least" else le)(self.against(aim), aim.bound))

    def table(self) -> list[str]:
        """Markdown: what every contender did, then what that is against the aims."""
        figures = list(dict.fromkeys(name for figures in self.rounds[self.ours] for name in figures))
        lines = [f"### {self.title}", "", f"| | {' | '.join(figures)} |", f"|---|{'---|' * len(figures)}"]
        for name, rounds in self.rounds.items():
            cells = [self.spread(name, figure) if figure in rounds[0] else "–" for figure in figures]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        for aim in self.aims:
            said = f"{self.against(aim):.2f}"
            beside = f" against {aim.against}" if aim.against else ""
            verdict = "met" if self.met(aim) else "**missed**"
            lines.append(f"\n{aim.figure}{beside}: {said}, asked {aim}: {verdict}")
        return [*lines, *(f"\n{note}" for note in self.notes), ""]


async def interleaved(
    title: str, contenders: Sequence[Contender], aims: Sequence[Aim] = (), rounds: int = 5
) -> Measured:
    """Lets each contender run once a round, in turning order: what slows the machine down slows all of them."""
    measured = Measured(title, aims, {contender.name: [] for contender in contenders})
    out.print(f"[bold]{title}[/]")
    for number_of_round in range(rounds):
        turn = number_of_round % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            figures = await contender.run()
            measured.rounds[contender.name].append(figures)
            said = ", ".join(f"{number(value)} {name}" for name, value in figures.items())
            out.print(
                f"  {number_of_round + 1}/{rounds}  {contender.name:<32} {said}", markup=False, soft_wrap=True
            )
    return measured


def number(value: float) -> str:
    """Three figures that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    """What it ran on, in a line."""
    with open("/proc/cpuinfo") as lines:
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} processors ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them (0.99) does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
