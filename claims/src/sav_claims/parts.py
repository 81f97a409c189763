"""The lines of a parts list, and what becomes of them when it is listed anew, validated, or when stock moves."""

from collections.abc import Iterable, Sequence
from typing import Any, Self
from uuid import UUID, uuid5

from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.reservation import ReservationStatus, ReservationView
from sav_contracts.messages import Message
from sav_contracts.parts import Part, PartNeeded, PartState


class Reserved(Message):
    """What catalog told last of the reservation of a line."""

    version: int
    status: ReservationStatus
    quantity: int


class PartLine(Part):
    """A line with what is known of its reservation, which views do not show."""

    reservation: Reserved | None = None

    def now(self, **changes: Any) -> Self:
        """The line with these changes."""
        return self.model_copy(update=changes)

    def listed(self, needed: int) -> Self:
        """The line after its article was listed: so many pieces are needed beside the used ones."""
        if self.is_needed() and self.quantity == self.used + needed:
            return self
        return self.now(quantity=self.used + needed, state="listed", covered=None)

    def validated(self, covered: int | None) -> Self:
        """The line after a manager validated the list."""
        return self.now(covered=covered, state=self._state()) if self.is_needed() else self

    def follows(self, reservation: ReservationView) -> Self:
        """The line after something became of its reservation; the same where that is known."""
        known = self.reservation
        if known and known.version >= reservation.version:
            return self
        told = Reserved(version=reservation.version, status=reservation.status, quantity=reservation.quantity)
        # More may have been used than is needed by now.
        quantity = max(self.quantity, reservation.used)
        line = self.now(reservation=told, used=reservation.used, quantity=quantity)
        return line if line.state == "listed" else line.now(state=line._state())

    def _state(self) -> PartState:
        """As its reservation is; unless that is still about another quantity."""
        told = self.reservation
        return told.status if told and told.quantity == self.quantity else "validated"

    def needed(self) -> PartNeeded:
        """The line as stock is reserved for it."""
        return PartNeeded(
            id=self.id, article_id=self.article_id, quantity=self.quantity, covered=self.covered
        )


def relisted(
    parts: Sequence[PartLine], wanted: Iterable[tuple[ArticleView, int]], reclamation_id: UUID
) -> tuple[PartLine, ...]:
    """The list after a technician listed what is needed; lines of which pieces were used stay."""
    before = {part.article_id: part for part in parts}
    lines = [
        (before.pop(article.id, None) or _unlisted(article, reclamation_id)).listed(quantity)
        for article, quantity in wanted
    ]
    built_in = [part.now(quantity=part.used, state="used") for part in before.values() if part.used]
    return (*lines, *built_in)


def _unlisted(article: ArticleView, reclamation_id: UUID) -> PartLine:
    return PartLine(
        # So that a line that is listed again has the reservation that it had.
        id=uuid5(reclamation_id, str(article.id)),
        article_id=article.id,
        article=article.name,
        reference=article.reference,
        quantity=0,
        state="released",
    )
