"""What was sold: papers, journals and e-reporting say the same of it."""

from collections.abc import Iterable
from typing import Protocol

from sav_chassis.law.jurisdiction import Nature


class Supplied(Protocol):
    @property
    def works(self) -> str: ...


class Sold(Protocol):
    @property
    def kind(self) -> str: ...


def nature_of(supply: Supplied | None, lines: Iterable[Sold]) -> Nature:
    """What was sold, by the works of the supply and the kinds of the lines.

    A sale without fitting is of goods, also where it is charged to bring them. Other works are services, with goods where
    parts are billed; so are those from before supplies were recorded, when no purchase was billed.
    """
    if supply and supply.works == "sale":
        return "goods"
    return "both" if any(line.kind == "part" for line in lines) else "services"
