"""What is written about a réclamation: comments for everybody who sees it, notes for the staff."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Command, Event, Personal, PersonId, Prose, View
from sav_contracts.visibility import ChildOf, Visible

MOST_MENTIONS = 10

Mentions = Annotated[tuple[PersonId, ...], Field(max_length=MOST_MENTIONS)]


class CommentForClient(View):
    """A comment as the client reads it: from the staff, they learn the role and not the person."""

    visible: ClassVar[Visible] = Visible.with_each(ReclamationView)

    reclamation_id: UUID
    by: Role
    text: Personal[str] = Field(examples=["Le bruit revient le matin, au démarrage."])

    @property
    def parent(self) -> UUID:
        return self.reclamation_id

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.reclamation_id})


class CommentView(CommentForClient):
    """A comment. Who sees the réclamation reads it."""

    author_id: PersonId
    # As they were called when they wrote it.
    author: Personal[str] = Field(examples=["Léa Bernard"])
    # The members of the staff whom it calls to it.
    mentions: tuple[PersonId, ...] = ()

    def for_client(self) -> CommentForClient:
        return self.narrowed_to(CommentForClient)


class NoteView(View):
    """A note of the staff. No client ever reads one."""

    visible: ClassVar[Visible] = Visible(technician=ChildOf(ReclamationView))

    reclamation_id: UUID
    by: Role
    author_id: PersonId
    author: Personal[str] = Field(examples=["Marie Laurent"])
    text: Personal[str] = Field(examples=["Prévoir deux personnes : la chaudière est dans les combles."])
    mentions: tuple[PersonId, ...] = ()

    @property
    def parent(self) -> UUID:
        return self.reclamation_id

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.reclamation_id})

    def for_client(self) -> None:
        return None


class AddComment(Command[CommentView]):
    """Write something that everybody concerned reads.

    A client's comment answers a réclamation that waits for the client. Staff may mention others of the staff, who get a
    message.
    """

    reclamation_id: UUID
    text: Personal[Prose] = Field(examples=["Le bruit revient le matin, au démarrage."])
    mentions: Mentions = ()


class AddNote(Command[NoteView]):
    """Write a note that only staff read. Whoever is mentioned gets a message."""

    reclamation_id: UUID
    text: Personal[Prose] = Field(examples=["Prévoir deux personnes : la chaudière est dans les combles."])
    mentions: Mentions = ()


class CommentAdded(Event[CommentView]):
    """Somebody commented. `answers` says that the réclamation had waited for this answer of its client."""

    client_sees: ClassVar[bool] = True

    # Who had the réclamation then.
    technician_id: PersonId | None = None
    answers: bool = False


class NoteAdded(Event[NoteView]):
    """Somebody of the staff wrote a note."""
