"""The parts list of a réclamation: a technician lists, a manager validates."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import (
    Command,
    Event,
)
from sav_contracts.parts import MOST_PARTS, PartNeeded, PartWanted
from sav_contracts.wrong_value import WrongValue


class ListedTwice(WrongValue):
    code = "listed_twice"
    en = "parts: list each article once, with all pieces of it"
    fr = "parts : indiquez chaque article une seule fois, avec toutes ses pièces"


class ListParts(Command[ReclamationView]):
    """List the parts that the repair needs, in place of those listed before; parts that are built in stay.

    A manager validates the list. Until then, what was validated before stays reserved.
    """

    reclamation_id: UUID
    parts: Annotated[list[PartWanted], Field(max_length=MOST_PARTS)]

    @model_validator(mode="after")
    def _lists_each_once(self) -> "ListParts":
        if len({part.article_id for part in self.parts}) < len(self.parts):
            raise ListedTwice().error()
        return self


class ValidateParts(Command[ReclamationView]):
    """Validate the parts list of this edition: its parts are reserved, or back-ordered, and others are released."""

    reclamation_id: UUID
    edition: Annotated[int, Field(ge=1, le=1_000_000)] = Field(examples=[1])


class PartsRequested(Event[ReclamationView]):
    """A technician listed the parts that the repair needs, or listed them anew: a manager is to validate the list."""

    edition: int = Field(examples=[1])


class PartsValidated(Event[ReclamationView]):
    """A manager validated a parts list. `lines` are all that is needed: what is in none of them is not."""

    edition: int = Field(examples=[1])
    lines: tuple[PartNeeded, ...]


class PartsArrived(Event[ReclamationView]):
    """All parts that the repair waited for are there: those of its list are reserved, those of its orders received."""

    # Whether the réclamation waited for them without a visit under way, so that another visit has to be planned.
    return_visit: bool = False
