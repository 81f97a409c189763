"""Acts of a telephone that was offline: each with its own id and time, applied once, answered one by one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapSerializer,
    WrapValidator,
    model_validator,
)

from sav_contracts.bilingual import Bilingual
from sav_contracts.files import Drawing, Sha256
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
    field = "move.at"
    en = "at stands beside the move, not in it"
    fr = "at se place à côté de move, et non dedans"


class SignatureOrReason(WrongValue):
    code = "signature_or_reason"
    field = "signature"
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


@dataclass(frozen=True)
class WrongAct:
    """An act with an id that is none for another reason: answered `refused` alone, and kept by nobody."""

    id: UUID
    sent: JsonValue
    error: ValidationError = field(compare=False)

    @property
    def intervention_id(self) -> UUID | None:
        """The visit that it is about, as far as it says so."""
        parts = self.sent.values() if isinstance(self.sent, dict) else ()
        named = (part.get("intervention_id") for part in parts if isinstance(part, dict))
        return next(filter(None, map(_uuid, named)), None)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _each_by_itself(sent: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """The act, or what is wrong with it; what has no id is refused with the whole request."""
    try:
        return read(sent)
    except ValidationError as error:
        id = _uuid(sent.get("id")) if isinstance(sent, dict) else None
        if id is None:
            raise
        return WrongAct(id, sent, error)


def _as_it_came(act: Any, written: SerializerFunctionWrapHandler) -> Any:
    return act.sent if isinstance(act, WrongAct) else written(act)


ActSent = Annotated[Act, WrapValidator(_each_by_itself), WrapSerializer(_as_it_came)]


class ActOutcome(Outcome):
    """What became of one act. `done_before`: it had come already, and nothing was done again.

    A refused act stays refused. Only with `again` it is done once its cause is gone: send the same act once more. One
    that is wrong by itself (422 `invalid`, a field is missing) was not kept: send it corrected, under the same id or another.
    """

    id: UUID
    # None only where a wrong act names none.
    intervention_id: UUID | None
    outcome: Literal["done", "done_before", "refused"]
    # Whether it was refused for now only: an act before it, an id or a signature has not come, or the clock is fast.
    again: bool = False
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
    answer to a part, sends everything again. An act that was refused stays refused; do it anew under another id. One that
    was refused with `again` waits for something that has not come, as do the acts of its visit after it: send them again.
    An act whose fields are wrong is refused alone and not kept; send it corrected. A move
    is not refused for a new time of the visit, nor since its technician was set inactive: a telephone cannot know that.
    """

    acts: Annotated[tuple[ActSent, ...], Field(min_length=1, max_length=MOST_ACTS)]

    def takes(self) -> float:
        return len(self.acts) * EACH


class KeptSignature(BaseModel):
    """The hash under which an act names the picture."""

    sha256: Sha256


class KeepSignature(Command[KeptSignature]):
    """Send the picture of a signature that was given offline, before the act that names it."""

    intervention_id: UUID
    signature: Drawing


class RefusedAct(Message):
    """An act that could no longer be done."""

    act: str = Field(examples=["on_site"])
    at: datetime = Field(examples=["2026-03-05T08:05:00Z"])
    code: str = Field(examples=["illegal_move"])


class ActsRefused(Event[InterventionView]):
    """What a technician did offline was refused: somebody else had moved the visit, an act before it is missing, or a
    dangerous reading came too late.
    """

    # The first ones, in the order in which they happened; `number` is how many there are, with those whose fields were wrong.
    acts: list[RefusedAct]
    number: int = Field(examples=[3])
