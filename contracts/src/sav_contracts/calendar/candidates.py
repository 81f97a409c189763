"""Who could take a réclamation."""

from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from sav_contracts.bilingual import Bilingual
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import Skill
from sav_contracts.messages import PersonId, Query, View


class Candidate(BaseModel):
    """A technician who takes visits, and what speaks for or against giving them the réclamation."""

    technician_id: PersonId
    name: str = Field(examples=["Karim Haddad"])
    # What the work needs and they cannot do: with any of it, assigning them is refused.
    lacks: list[Skill] = Field(examples=[["gas"]])
    # Whether the place is in their zone; true where the place is not known.
    works_there: bool
    # Visits that they have not ended, and minutes that are held or booked with them in this week of the place.
    open_visits: int = Field(examples=[3])
    booked_minutes: int = Field(examples=[480])
    # None where they lack a skill, or nothing is free within six weeks.
    next_slot: FreeSlot | None
    # The same in sentences.
    reasons: list[str] = Field(examples=[["Can do the work", "Outside their zone", "3 open visits"]])
    # For the edge, which chooses the language.
    french: SkipJsonSchema[list[str] | None] = Field(
        default=None, examples=[["Sait faire ce travail"]], exclude_if=lambda texts: texts is None
    )

    def spoken(self, french: bool) -> Self:
        """In one language."""
        return self.model_copy(update={"reasons": (french and self.french) or self.reasons, "french": None})


class Candidates(Bilingual):
    """All technicians who take visits, the best first: who can do the work, works there, and can come soonest."""

    items: list[Candidate]

    def spoken(self, french: bool) -> "Candidates":
        return Candidates(items=[item.spoken(french) for item in self.items])


class FindCandidates(Query[Candidates]):
    """Find who could take a réclamation: by skills, zone, load and next free slot, with the reasons."""

    of: ClassVar[type[View] | None] = ReclamationView

    reclamation_id: UUID
