"""The dashboard of réclamations: figures, each with the list that shows the same records."""

from datetime import date
from typing import get_args

from pydantic import BaseModel, Field

from sav_contracts.claims.reclamation import OVER, Priority, ReclamationStatus

OPEN: tuple[ReclamationStatus, ...] = tuple(
    status for status in get_args(ReclamationStatus) if status not in OVER
)
# The first day of each band of ages, and its last, in days before today.
BANDS: tuple[tuple[int, int | None], ...] = ((0, 0), (1, 2), (3, 6), (7, 29), (30, None))
DAYS = 30


class Figure(BaseModel):
    """How many there are, and the list of just these."""

    count: int = Field(examples=[3])
    list: str = Field(examples=["/reclamations?status=submitted"])


class OfStatus(Figure):
    status: ReclamationStatus


class OfPriority(Figure):
    priority: Priority


class OfAge(Figure):
    """Open ones that were opened so many days of the calendar ago; without `to_days`, also earlier."""

    from_days: int = Field(examples=[1])
    to_days: int | None = Field(examples=[2])


class OfDay(BaseModel):
    """What was opened, and what came to its end, on one day."""

    day: date = Field(examples=["2026-03-02"])
    opened: Figure
    ended: Figure


class DashboardForClient(BaseModel):
    """The dashboard of a client's own réclamations. Days are those of the firm's zone."""

    day: date = Field(examples=["2026-03-02"])
    zone: str = Field(examples=["Europe/Paris"])
    # What is not over.
    open: Figure
    statuses: list[OfStatus]
    ages: list[OfAge]
    # Each of the last days, today at the end.
    trend: list[OfDay]


class Dashboard(DashboardForClient):
    """The dashboard of the réclamations that a technician has, or of all. Days are those of the firm's zone."""

    # Open ones only.
    priorities: list[OfPriority]
    overdue: Figure
