"""Photos of the problem and the work."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import (
    Command,
    Event,
    Message,
    View,
)
from sav_contracts.visibility import Visible

MAX_PHOTOS = 10


class PhotoView(View):
    """A photo of the problem or the work. Who sees the réclamation sees it."""

    visible: ClassVar[Visible] = Visible.with_each(ReclamationView)

    reclamation_id: UUID
    file: StoredFile
    by: Role

    @property
    def parent(self) -> UUID:
        return self.reclamation_id

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.reclamation_id})


class Photos(Message):
    """The photos that were added."""

    items: list[PhotoView]


class AddPhotos(Command[Photos]):
    """Add photos to a réclamation, up to 10 in all.

    A client's photos answer a réclamation that waits for the client: it goes on.
    """

    reclamation_id: UUID
    photos: Annotated[list[Image], Field(min_length=1, max_length=6)]


class PhotoAdded(Event[PhotoView]):
    """A photo was added."""

    client_sees: ClassVar[bool] = True
