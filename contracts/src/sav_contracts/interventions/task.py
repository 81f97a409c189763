"""What is to be done on a visit, task by task, and what was measured there."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.servicing import ApplianceKind
from sav_contracts.claims.safety import Words
from sav_contracts.messages import Message, Reason
from sav_contracts.wrong_value import WrongValue

# Names a task in every language.
TaskCode = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,39}$", examples=["measure_co"])]
# Why the carbon monoxide in the room was not measured. A sealed appliance takes its air from outside: it need not be.
CoNotMeasured = Literal["sealed", "no_instrument", "not_running", "no_access"]


class Stopped(Message):
    """That an earlier visit stopped an appliance for safety: when, and how much carbon monoxide was measured, if it was that."""

    at: datetime = Field(examples=["2026-03-05T09:40:00Z"])
    ppm: int | None = Field(examples=[70])


class Appliance(Message):
    """What a visit is about, as far as its tasks depend on it; `product_id` is empty for what is described in words."""

    product_id: UUID | None
    kind: ApplianceKind
    burns: bool
    # Where it was off when this visit was planned: it is measured before it is in service again.
    stopped: Stopped | None = None


class Task(Message):
    """Something to be done on a visit. `done` is empty until its technician says so, or why it was not done."""

    code: TaskCode
    text: Words
    done: bool | None = None
    reason: str | None = Field(default=None, examples=["Trappe du conduit condamnée."])


class WhyNotDone(WrongValue):
    code = "why_not_done"
    field = "reason"
    en = "reason: say why this task was not done"
    fr = "reason : indiquez pourquoi cette tâche n’a pas été faite"


class TaskGiven(Message):
    """What a technician says of a task."""

    code: TaskCode
    done: bool = True
    reason: Reason | None = Field(default=None, examples=["Trappe du conduit condamnée."])

    @model_validator(mode="after")
    def _says_why(self) -> "TaskGiven":
        if not self.done and self.reason is None:
            raise WhyNotDone().error()
        return self


class MeasuredOrWhyNot(WrongValue):
    code = "measured_or_why_not"
    field = "co_not_measured"
    en = "co_ppm, or co_not_measured"
    fr = "co_ppm, ou co_not_measured"


class NothingMeasured(WrongValue):
    code = "nothing_measured"
    field = "co_measured_at"
    en = "co_measured_at: only of a reading (co_ppm)"
    fr = "co_measured_at : seulement pour une mesure (co_ppm)"
