"""Photos of a visit: what was found and what was done."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.files import Image, StoredFile
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Changed, Command, Event, Message, View
from sav_contracts.visibility import Visible

MAX_VISIT_PHOTOS = 20


class VisitPhotoView(View):
    """A photo of a visit. Its client sees it once a validated report names it."""

    visible: ClassVar[Visible] = Visible.with_each(InterventionView)

    intervention_id: UUID
    # None where the visit is for no réclamation.
    reclamation_id: UUID | None
    file: StoredFile
    by: Role
    # Whether a validated report names it.
    shown: bool = False

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "VisitPhotoView | None":
        return self if self.shown else None

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.intervention_id} | ({self.reclamation_id} if self.reclamation_id else set()))


class VisitPhotos(Message):
    """The photos that were sent, in their order; one that was there already is the one that was there."""

    items: list[VisitPhotoView]


class AddVisitPhotos(Command[VisitPhotos]):
    """Add photos of a visit, up to 20 in all. Sending one again adds nothing, also before the visit has begun here.

    A report names its photos by the SHA-256 that they have here.
    """

    intervention_id: UUID
    photos: Annotated[list[Image], Field(min_length=1, max_length=6)]


VisitPhotoChanged = Changed[VisitPhotoView]


class VisitPhotoAdded(Event[VisitPhotoView]):
    """A photo of a visit was added."""
