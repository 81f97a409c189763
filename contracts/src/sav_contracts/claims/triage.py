"""Many réclamations at once: assigned, qualified or rejected, each answered on its own."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.bilingual import Bilingual
from sav_contracts.claims.reclamation import AssignTechnician, QualifyReclamation, ReclamationStatus
from sav_contracts.messages import Command, Message, Reason
from sav_contracts.refused import Outcome
from sav_contracts.wrong_value import WrongValue

MOST = 200
# Seconds that one item may take.
EACH = 0.1


class OneAct(WrongValue):
    code = "one_act"
    en = "one of assign, qualify and reject"
    fr = "l’un de assign, qualify et reject"


class Reject(Message):
    """Reject a réclamation."""

    reclamation_id: UUID
    reason: Reason


class TriageItem(Message):
    """What to do with one réclamation: one of these."""

    assign: AssignTechnician | None = None
    qualify: QualifyReclamation | None = None
    reject: Reject | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(act is not None for act in (self.assign, self.qualify, self.reject)) != 1:
            raise OneAct().error()
        return self

    @property
    def act(self) -> AssignTechnician | QualifyReclamation | Reject:
        """What is asked for."""
        [act] = [act for act in (self.assign, self.qualify, self.reject) if act is not None]
        return act


class TriageOutcome(Outcome):
    """What became of one item: the state of the réclamation, or why it was not done."""

    reclamation_id: UUID
    status: ReclamationStatus | None = None


class TriageAnswer(Bilingual):
    """What became of each item, in the order in which they were sent."""

    items: list[TriageOutcome]

    def spoken(self, french: bool) -> "TriageAnswer":
        return TriageAnswer(items=[item.spoken(french) for item in self.items])


class TriageReclamations(Command[TriageAnswer]):
    """Assign, qualify or reject many réclamations. Each item is done or refused on its own, as by its single command.

    Items for one réclamation are done in the order in which they were sent.
    """

    items: Annotated[tuple[TriageItem, ...], Field(min_length=1, max_length=MOST)]

    def takes(self) -> float:
        return len(self.items) * EACH
