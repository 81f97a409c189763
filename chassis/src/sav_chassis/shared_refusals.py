"""Refusals that several rooms make by the same rule, with that rule; the chassis itself makes none of them."""

from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from sav_chassis.errors import Conflict, SavError, WrongField
from sav_contracts.interventions.technician import Skill
from sav_contracts.labels import labels
from sav_contracts.sentences import Text

# Of all lines, excluding VAT; a larger amount is a typing error.
MOST = Decimal(100_000_000)


class TechnicianUnavailable(Conflict):
    """The technician takes no visits; choose another one."""

    code = "technician_unavailable"
    name: str
    en = "{name} does not take visits at present"
    fr = "{name} ne prend pas d’interventions actuellement"


class LacksSkill(Conflict):
    """The technician cannot do the work; the detail says what they would have to be able to do."""

    code = "lacks_skill"
    name: str
    skills: Text
    en = "{name} does not do this work: it needs {skills}"
    fr = "{name} ne fait pas ce travail, qui demande : {skills}"


class LinkExpired(SavError):
    """The link was used, is too old, or was never ours."""

    code = "link_expired"
    status = 410
    en = "This link is incomplete or no longer valid; open it again from our message"
    fr = "Ce lien est incomplet ou n’est plus valable\N{NO-BREAK SPACE}; rouvrez-le depuis notre message"


class AmountTooLarge(WrongField):
    most: Decimal = MOST
    en = "they amount to more than {most}"
    fr = "leur montant dépasse {most}"


class Card(Protocol):
    """A technician, as their owner or a copy knows them."""

    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...
    def lacks(self, needed: Collection[Skill]) -> list[Skill]: ...


def check_able(technician: Card, needed: Collection[Skill] = ()) -> None:
    """Raises the refusal that says why this technician cannot be given this work, if there is one."""
    if not technician.active:
        raise TechnicianUnavailable(name=technician.name)
    if lacking := technician.lacks(needed):
        raise LacksSkill(name=technician.name, skills=labels(lacking))
