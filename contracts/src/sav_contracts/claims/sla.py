"""What is told of the clocks of réclamations."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Event

# What is due: a first answer, the end of the fault, and that by law.
ClockName = Literal["respond", "resolve", "legal"]


class SlaWarning(Event[ReclamationView]):
    """A clock of the réclamation is nearly over: most of the time is used until it is due."""

    clock: ClockName = Field(examples=["respond"])
    due: datetime = Field(examples=["2026-03-02T12:00:00Z"])


class SlaBreached(Event[ReclamationView]):
    """A clock of the réclamation is over, and it was not met."""

    clock: ClockName = Field(examples=["respond"])
    due: datetime = Field(examples=["2026-03-02T12:00:00Z"])
