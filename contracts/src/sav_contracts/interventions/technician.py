"""Technicians, as others see them: who they are, what they can do, where, and whether they take visits."""

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, StringConstraints

from sav_contracts import canonical
from sav_contracts.catalog.article import Family, Fuel
from sav_contracts.catalog.product import Place
from sav_contracts.messages import Changed, Command, Event, Personal, PersonId, View, canonical_form
from sav_contracts.visibility import Own, Visible, named_by_their_work

# The two trades of the catalogue's families, and what a source of heat needs besides.
Skill = Literal["sanitary", "heating", "gas", "oil", "wood", "electric", "heat_pump", "solar"]
SKILLS: tuple[Skill, ...] = get_args(Skill)
TRADES: Mapping[Family, tuple[Skill, ...]] = {"sanitary": ("sanitary",), "heating": ("heating",), "part": ()}
OF_FUEL: Mapping[Fuel, tuple[Skill, ...]] = {
    "gas": ("gas",),
    "oil": ("oil",),
    "wood": ("wood",),
    "electric": ("electric",),
    "heat_pump": ("heat_pump",),
    "solar": ("solar",),
    "gas_hybrid": ("gas", "heat_pump"),
    "oil_hybrid": ("oil", "heat_pump"),
}

# What postcodes of the two departments of Corsica begin with.
CORSICA: Mapping[str, tuple[str, ...]] = {"2A": ("200", "201"), "2B": ("202", "206")}

# A country's postcodes that begin like this: `69` is the Rhône, `69003` a part of Lyon; `2A` is a department.
PostcodePrefix = Annotated[
    str,
    StringConstraints(min_length=1, max_length=12, pattern=r"^[0-9A-Z]+([ -][0-9A-Z]+)?$"),
    canonical_form(canonical.postcode),
    Field(examples=["69"]),
]


def skills_for(family: Family, fuel: Fuel | None) -> tuple[Skill, ...]:
    """What somebody has to be able to do who works on an article of this family and fuel; nothing for a part."""
    trade = TRADES[family]
    return (*trade, *OF_FUEL[fuel]) if trade and fuel else trade


def lacking(skills: Collection[Skill], needed: Collection[Skill]) -> list[Skill]:
    """Which of the needed skills are not among somebody's; who declared none can do everything."""
    return [skill for skill in needed if skill not in skills] if skills else []


class TechnicianView(View):
    """A technician's card, without contact data."""

    visible: ClassVar[Visible] = Visible(client=named_by_their_work("technician_id"), technician=Own("id"))
    empty_means: ClassVar[Mapping[str, tuple[str, ...]]] = {"skills": SKILLS}

    technician_id: PersonId
    name: Personal[str] = Field(examples=["Karim Haddad"])
    # Whether they take visits: their account is an active technician's, and no manager set them inactive.
    active: bool
    # What they can do; nothing declared means everything.
    skills: list[Skill] = Field(default_factory=list, examples=[["heating", "gas"]])
    # Where they work: the postcodes that begin so; nothing declared means everywhere.
    zone: list[str] = Field(default_factory=list, examples=[["69", "01"]])

    def lacks(self, needed: Collection[Skill]) -> list[Skill]:
        """Which of these skills they have not."""
        return lacking(self.skills, needed)

    def works_at(self, place: Place | None) -> bool:
        """Whether the place is in their zone; a place that is not known is."""
        if not self.zone or place is None:
            return True
        begins = [begin for prefix in self.zone for begin in (prefix, *CORSICA.get(prefix, ()))]
        return place.postcode.startswith(tuple(begins))


class ChangeTechnician(Command[TechnicianView]):
    """Change the given ones of a technician's skills, zone and activity.

    An empty list of skills means that they can do everything, an empty zone that they work everywhere. A zone is what
    postcodes of the firm's country begin with, such as a department. Who is set
    inactive keeps no visit that was not begun: each becomes a planning conflict, with others who could go. Only
    somebody whose account is an active technician's can be set active.
    """

    technician_id: PersonId
    skills: Annotated[list[Skill], Field(max_length=len(SKILLS))] | None = Field(
        default=None, examples=[["heating", "gas"]]
    )
    zone: Annotated[list[PostcodePrefix], Field(max_length=100)] | None = Field(
        default=None, examples=[["69", "01"]]
    )
    active: bool | None = None


# Their card is new, or different.
TechnicianChanged = Changed[TechnicianView]


class TechnicianLeft(Event[TechnicianView]):
    """A technician takes no visits any more: their account was deactivated or changed role, or a manager set them inactive."""
