"""Technicians, as others see them."""

from typing import ClassVar

from pydantic import Field

from sav_contracts.messages import Changed, Personal, PersonId, View
from sav_contracts.visibility import Own, Visible, named_by_their_work


class TechnicianView(View):
    """A technician's card, without contact data."""

    visible: ClassVar[Visible] = Visible(client=named_by_their_work("technician_id"), technician=Own("id"))

    technician_id: PersonId
    name: Personal[str] = Field(examples=["Karim Haddad"])
    active: bool


# Their card is new, or different.
TechnicianChanged = Changed[TechnicianView]
