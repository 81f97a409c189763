"""What people write and keep: comments and notes about réclamations, and the filters of managers."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Role
from sav_contracts.claims.comment import CommentView, NoteView
from sav_contracts.claims.saved_filter import SavedFilterView


class Comment(Aggregate[CommentView]):
    """Something that everybody concerned by a réclamation reads."""

    __tablename__ = "comment"

    reclamation_id: Mapped[UUID]
    by: Mapped[Role]
    author_id: Mapped[UUID]
    author: Mapped[str]
    text: Mapped[str]
    mentions: Mapped[tuple[UUID, ...]] = mapped_column(JsonColumn(tuple[UUID, ...]), default=())


class Note(Aggregate[NoteView]):
    """Something about a réclamation that only staff read."""

    __tablename__ = "note"

    reclamation_id: Mapped[UUID]
    by: Mapped[Role]
    author_id: Mapped[UUID]
    author: Mapped[str]
    text: Mapped[str]
    mentions: Mapped[tuple[UUID, ...]] = mapped_column(JsonColumn(tuple[UUID, ...]), default=())


class SavedFilter(Aggregate[SavedFilterView]):
    """A named choice of a list, of one person; of nobody once it was removed."""

    __tablename__ = "saved_filter"

    user_id: Mapped[UUID | None]
    name: Mapped[str]
    # The name as names are compared.
    folded: Mapped[str]
    list: Mapped[str]
    query: Mapped[str]
