"""Acts of a telephone that was offline: each with its own id and time, applied once, answered one by one."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from sav_contracts.bilingual import Bilingual
from sav_contracts.files import Image, Sha256
from sav_contracts.interventions.report import SubmitReport, WriteReport
from sav_contracts.interventions.visit import (
    InterventionStatus,
    InterventionView,
    MoveIntervention,
    RecordWork,
)
from sav_contracts.messages import Command, Event, Line, Message, Personal, Reason
from sav_contracts.refused import Outcome
from sav_contracts.times import Moment
from sav_contracts.wrong_value import WrongValue

MOST_ACTS = 500
# Seconds that one act may take.
EACH = 0.05
# The most refused acts that one event names.
MOST_NAMED = 20


class OneActOnly(WrongValue):
    code = "one_act_only"
    en = "one of move, work, report, sign and submit"
    fr = "l’un de move, work, report, sign et submit"


class TimeOfTheAct(WrongValue):
    code = "time_of_the_act"
    en = "at stands beside the move, not in it"
    fr = "at se place à côté de move, et non dedans"


class SignatureOrReason(WrongValue):
    code = "signature_or_reason"
    en = "signature and signed_by, or refused"
    fr = "signature et signed_by, ou refused"


class SignThen(Message):
    """The client signed on site, or refused to, with the reason. The picture was sent before, and is named by its hash."""

    intervention_id: UUID
    signed_by: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    signature: Sha256 | None = None
    refused: Reason | None = Field(default=None, examples=["La cliente veut d'abord relire le rapport."])

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if (self.refused is None) == (self.signature is None or self.signed_by is None):
            raise SignatureOrReason().error()
        return self


class Act(Message):
    """What was done at that time: one of these. Its id, which the telephone chose, makes it happen once.

    `after` is the id of the act before it on the same telephone: then it waits until that one has been answered.
    """

    id: UUID
    at: Moment = Field(examples=["2026-03-05T08:05:00Z"])
    after: UUID | None = None
    move: MoveIntervention | None = None
    work: RecordWork | None = None
    report: WriteReport | None = None
    sign: SignThen | None = None
    submit: SubmitReport | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(self._given()) != 1:
            raise OneActOnly().error()
        if self.move and self.move.at:
            raise TimeOfTheAct().error()
        return self

    def _given(self) -> list[bool]:
        acts = (self.move, self.work, self.report, self.sign, self.submit)
        return [act is not None for act in acts]

    @property
    def what(self) -> "MoveIntervention | RecordWork | WriteReport | SignThen | SubmitReport":
        """What was done."""
        acts = (self.move, self.work, self.report, self.sign, self.submit)
        [act] = [act for act in acts if act is not None]
        return act

    @property
    def name(self) -> str:
        """In a word: the state of a move, otherwise what was written."""
        if self.move:
            return self.move.to
        return next(name for name in ("work", "report", "sign", "submit") if getattr(self, name))


class ActOutcome(Outcome):
    """What became of one act. `done_before`: it had come already, and nothing was done again."""

    id: UUID
    intervention_id: UUID
    outcome: Literal["done", "done_before", "refused"]
    # Of a move: the state of the visit after it.
    status: InterventionStatus | None = None


class ActsAnswer(Bilingual):
    """What became of each act, in the order in which they were sent."""

    acts: list[ActOutcome]

    def spoken(self, french: bool) -> "ActsAnswer":
        return ActsAnswer(acts=[act.spoken(french) for act in self.acts])


class ApplyActs(Command[ActsAnswer]):
    """Apply what was done while a telephone was offline, in the order of `at`.

    Each act is done or refused on its own, as by its single command, and once for all: whoever got no answer, or an
    answer to a part, sends everything again. An act that was refused stays refused; do it anew under another id. A move
    is not refused for a new time of the visit, nor since its technician was set inactive: a telephone cannot know that.
    """

    acts: Annotated[tuple[Act, ...], Field(min_length=1, max_length=MOST_ACTS)]

    def takes(self) -> float:
        return len(self.acts) * EACH


class KeptSignature(BaseModel):
    """The hash under which an act names the picture."""

    sha256: Sha256


class KeepSignature(Command[KeptSignature]):
    """Send the picture of a signature that was given offline, before the act that names it."""

    intervention_id: UUID
    signature: Image


class RefusedAct(Message):
    """An act that could no longer be done."""

    act: str = Field(examples=["on_site"])
    at: datetime = Field(examples=["2026-03-05T08:05:00Z"])
    code: str = Field(examples=["illegal_move"])


class ActsRefused(Event[InterventionView]):
    """What a technician did offline was refused, since somebody else had moved the visit meanwhile."""

    # The first ones, in the order in which they happened; `number` is how many there are.
    acts: list[RefusedAct]
    number: int = Field(examples=[3])
