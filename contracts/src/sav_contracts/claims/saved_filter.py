"""The filters that managers and admins keep for the lists."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from sav_contracts import canonical
from sav_contracts.auth.account import Accepted
from sav_contracts.messages import Changed, Command, Event, Line, Personal, PersonId, View, canonical_form
from sav_contracts.visibility import Own, Visible

MOST_FILTERS = 50

FilterName = Annotated[Line, StringConstraints(max_length=80)]
ListPath = Annotated[Line, Field(max_length=100)]
QueryString = Annotated[str, StringConstraints(max_length=2000), canonical_form(canonical.line)]


class SavedFilterView(View):
    """A named choice of a list. `query` is what follows the question mark: GET `{list}?{query}` answers it.

    A filter that was removed belongs to nobody.
    """

    visible: ClassVar[Visible] = Visible(manager=Own("user_id"), admin=Own("user_id"))

    user_id: PersonId | None
    name: Personal[str] = Field(examples=["Urgences à qualifier"])
    list: str = Field(examples=["/reclamations"])
    query: Personal[str] = Field(examples=["status=submitted&priority=critical&priority=high"])


class SaveFilter(Command[SavedFilterView]):
    """Keep a filter under a name, or replace the one of that name; capitals make no difference.

    `query` has parameters that the list has, except `limit` and `after`. At most 50 are kept.
    """

    name: Personal[FilterName] = Field(examples=["Urgences à qualifier"])
    list: ListPath = Field(examples=["/reclamations"])
    query: Personal[QueryString] = Field(
        default="", examples=["status=submitted&priority=critical&priority=high"]
    )


class RemoveFilter(Command[Accepted]):
    """Remove one of one's own filters."""

    saved_filter_id: UUID


class FilterSaved(Event[SavedFilterView]):
    """Somebody kept a filter, or changed what it chooses."""


class FilterRemoved(Event[SavedFilterView]):
    """A filter was removed."""


SavedFilterChanged = Changed[SavedFilterView]
