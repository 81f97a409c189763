"""Clients and réclamations."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_claims.clocks import Clocks
from sav_claims.lifecycle import PRIORITIES, RECLAMATION, UNDER_WAY
from sav_claims.parts import PartLine
from sav_contracts.actor import Actor, Role
from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.warranty import NO_PRODUCT, Coverage, Warranty
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.draft import ReclamationDraft
from sav_contracts.claims.intake import Channel, Duplicate, PreferredTime
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import (
    OVER,
    Priority,
    ProblemType,
    ReclamationStatus,
    ReclamationView,
    Resolution,
    Safety,
)
from sav_contracts.claims.safety import Danger, Instructions, instructions
from sav_contracts.files import StoredFile
from sav_contracts.interventions.technician import Skill
from sav_contracts.interventions.visit import InterventionView

# What each decision of a manager pays, in percent of parts, labour and travel.
SHARES: dict[Coverage, tuple[int, int, int]] = {
    "covered": (100, 100, 100),
    "partly": (100, 0, 0),
    "not_covered": (0, 0, 0),
}


class Client(Aggregate[ClientView]):
    """A client's profile; has the id of the client's account."""

    __tablename__ = "client"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    email: Mapped[str]
    locale: Mapped[Locale]
    phones: Mapped[tuple[str, ...]] = mapped_column(JsonColumn(tuple[str, ...]), default=())
    addresses: Mapped[tuple[Address, ...]] = mapped_column(JsonColumn(tuple[Address, ...]), default=())
    notes: Mapped[str | None]
    # Of the fields that the account has too (`agreement`).
    name_edition: Mapped[int] = mapped_column(default=0)
    locale_edition: Mapped[int] = mapped_column(default=0)

    @property
    def client_id(self) -> UUID:
        return self.id


class Reclamation(Aggregate[ReclamationView], Stateful[ReclamationStatus]):
    """A fault that a client reported, from the report to its end."""

    __tablename__ = "reclamation"
    lifecycle = RECLAMATION

    reference: Mapped[str] = mapped_column(unique=True)
    client_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    article: Mapped[str]
    problem_type: Mapped[ProblemType]
    description: Mapped[str]
    safety: Mapped[Safety] = mapped_column("safety_answers", JsonColumn(Safety))
    priority: Mapped[Priority]
    priority_reason: Mapped[str]
    coverage: Mapped[Coverage]
    assignment: Mapped[int] = mapped_column(default=0)
    status: Mapped[ReclamationStatus]
    product_id: Mapped[UUID | None]
    warranty: Mapped[Warranty | None] = mapped_column(JsonColumn(Warranty))
    resolution: Mapped[Resolution | None]
    parts: Mapped[tuple[PartLine, ...]] = mapped_column(JsonColumn(tuple[PartLine, ...]), default=())
    parts_edition: Mapped[int] = mapped_column(default=0)
    parts_validated: Mapped[int] = mapped_column(default=0)
    # Whether some were back-ordered, and nobody was told yet that all are there.
    parts_awaited: Mapped[bool] = mapped_column(default=False)
    # The visit that was started last: events of other visits are obsolete.
    visit_id: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    question: Mapped[str | None]
    before_waiting: Mapped[ReclamationStatus | None]
    merged_into_id: Mapped[UUID | None]
    # The last visit before it was reopened, whose later news is obsolete, or that of the réclamation it repeats.
    earlier_visit_id: Mapped[UUID | None]
    # How often it was assigned when it was reopened last: visits of these assignments are over.
    reopened_after: Mapped[int | None]
    # Whether its technician has left.
    needs_technician: Mapped[bool] = mapped_column(default=False)
    skills_needed: Mapped[tuple[Skill, ...]] = mapped_column(JsonColumn(tuple[Skill, ...]), default=())
    place: Mapped[Place | None] = mapped_column(JsonColumn(Place))
    preferred_times: Mapped[tuple[PreferredTime, ...]] = mapped_column(
        JsonColumn(tuple[PreferredTime, ...]), default=()
    )
    channel: Mapped[Channel | None]
    opened_by: Mapped[UUID | None]
    unanswered: Mapped[tuple[Danger, ...]] = mapped_column(JsonColumn(tuple[Danger, ...]), default=())
    possible_duplicates: Mapped[tuple[Duplicate, ...]] = mapped_column(
        JsonColumn(tuple[Duplicate, ...]), default=()
    )
    repeat_of: Mapped[UUID | None]

    # Set by `sla.follow_changes`; and the version of the policy by which they were last set in the background.
    clocks: Mapped[Clocks] = mapped_column(JsonColumn(Clocks), default=Clocks())
    clocks_policy: Mapped[int] = mapped_column(default=0)

    @property
    def instructions(self) -> tuple[Instructions, ...]:
        """What to do at once about the dangers that were reported."""
        return instructions(self.safety.dangers(), self.place.country if self.place else "FR")

    @property
    def by_manager(self) -> bool:
        """Whether a manager decided what the warranty pays; rules do not change that."""
        return self.warranty is not None and self.warranty.decided_at is not None

    def move(self, to: ReclamationStatus, by: Actor) -> None:
        """Changes the state as the table allows; a question that was open is answered or dropped."""
        super().move(to, by)
        if to != "awaiting_client":
            self.question = self.before_waiting = None
        if to in OVER or to == "resolved":
            self.needs_technician = False

    def ask_client(self, question: str, by: Actor) -> None:
        """Waits for the client's answer, and goes back from there to the present state."""
        before = self.status
        self.move("awaiting_client", by)
        self.before_waiting, self.question = before, question

    def resolve(self, resolution: Resolution, by: Actor, now: datetime) -> None:
        """Says how it ended. The client may accept or reopen it."""
        self.move("resolved", by)
        self.resolution, self.resolved_at = resolution, now

    def close(self, by: Actor, now: datetime) -> None:
        """Ends it for good, unless it is reopened."""
        self.move("closed", by)
        self.closed_at = now

    def reopen(self, by: Actor) -> None:
        """Takes it up again without its resolution and technician; the visit that did not help stays linked."""
        self.move("reopened", by)
        self.resolution = self.resolved_at = self.closed_at = None
        self.earlier_visit_id, self.visit_id, self.technician_id = self.visit_id, None, None
        self.reopened_after = self.assignment

    def was_reopened_after(self, visit: InterventionView) -> bool:
        """Whether what this visit says comes too late: it was reopened since."""
        over = self.reopened_after is not None and visit.assignment <= self.reopened_after
        return over or visit.id == self.earlier_visit_id

    def goes_on_with(self, visit: InterventionView) -> None:
        """Heeds a visit again that goes on, although it was reopened meanwhile."""
        if visit.id == self.earlier_visit_id:
            self.earlier_visit_id = None
        if self.reopened_after is not None:
            self.reopened_after = min(self.reopened_after, visit.assignment - 1)

    def merge_into(self, target: "Reclamation", by: Actor) -> None:
        """Ends it in favour of another réclamation about the same fault, which takes over how urgent it is."""
        self.move("merged", by)
        self.merged_into_id = target.id

    def merge_in(self, other: "Reclamation") -> bool:
        """Takes the higher priority of both, every danger reported and the earlier request, from which legal days count.

        Returns whether that changes anything.
        """
        safety = self.safety.with_all_of(other.safety)
        more_urgent = PRIORITIES.index(other.priority) < PRIORITIES.index(self.priority)
        if more_urgent:
            self.priority, self.priority_reason = other.priority, other.priority_reason
        earlier = other.requested_at < self.requested_at
        if earlier:
            self.clocks = self.clocks_now.model_copy(update={"requested_at": other.requested_at})
        changed = more_urgent or earlier or safety != self.safety
        self.safety = safety
        return changed

    def restore(self, technician_id: UUID, to: ReclamationStatus, by: Actor) -> None:
        """Gives it back to the technician who is on site, after it was ended or taken from them."""
        self.move(to, by)
        self.technician_id = technician_id
        self.resolution = self.resolved_at = self.closed_at = self.merged_into_id = None

    def qualify(self, priority: Priority, warranty: Warranty, reason: str | None, by: Actor) -> None:
        """Sets the priority that a manager decided, and the warranty."""
        if self.status not in UNDER_WAY:
            self.move("qualified", by)
        elif self.status == "awaiting_client":
            self.before_waiting = "qualified"
        self.priority = priority
        self.priority_reason = reason or f"decided by a {by.role}"
        self.decide(warranty)

    @property
    def is_qualified(self) -> bool:
        """Whether it is under way and was qualified: qualifying it is deciding again. Not so, if the client was asked first."""
        return self.status in UNDER_WAY and self.before_waiting != "submitted"

    def decide(self, warranty: Warranty) -> None:
        """Sets what the warranty pays."""
        self.warranty = warranty
        self.coverage = warranty.decision

    def warranty_by_rule(self, product: ProductView | None) -> Warranty:
        """What the product's covers pay on the day the fault was reported."""
        return product.warranty_at(self.created_at) if product else NO_PRODUCT

    @property
    def parts_to_validate(self) -> bool:
        """Whether a manager has to look at the parts list."""
        return self.parts_edition > self.parts_validated and (
            self.parts_validated > 0 or any(part.is_needed() for part in self.parts)
        )

    @property
    def covered_parts(self) -> int | None:
        """The share of parts that the warranty pays, in percent; None where that is not decided."""
        decided = self.warranty is not None and self.warranty.decision != "unknown"
        return self.warranty.parts if self.warranty and decided else None

    @property
    def needs_parts(self) -> bool:
        """Whether its list has parts that are not built in yet."""
        return any(part.is_needed() for part in self.parts)

    def has_its_parts(self) -> bool:
        """Whether all that its list needs is reserved, and no list waits for a manager."""
        needed = [part for part in self.parts if part.is_needed()]
        return not self.parts_to_validate and all(part.state == "reserved" for part in needed)

    def follow(self, reservation: ReservationView) -> bool:
        """Takes over what became of a line's reservation; false where that is known, or the line is gone."""
        parts = tuple(
            part.follows(reservation) if part.id == reservation.line_id else part for part in self.parts
        )
        if parts == self.parts:
            return False
        self.parts = parts
        self.parts_awaited = self.parts_awaited or reservation.status == "back_ordered"
        return True

    def assign(self, technician_id: UUID, by: Actor) -> UUID | None:
        """Gives it to this technician; returns the id of the previous one."""
        self.move("assigned", by)
        previous, self.technician_id = self.technician_id, technician_id
        self.assignment += 1
        self.needs_technician = False
        return previous

    def unassign(self, by: Actor) -> None:
        """Takes it back from its technician: it waits for another."""
        self.move("qualified", by)
        self.technician_id = None
        self.needs_technician = False

    @property
    def clocks_now(self) -> Clocks:
        """Its clocks; of a new réclamation, none yet."""
        clocks: Clocks | None = self.clocks
        return clocks or Clocks()

    @property
    def requested_at(self) -> datetime:
        return self.clocks_now.requested_at or self.created_at

    @property
    def respond_by(self) -> datetime | None:
        return self.clocks_now.respond.due

    @property
    def resolve_by(self) -> datetime | None:
        return self.clocks_now.resolve.due

    @property
    def responded_at(self) -> datetime | None:
        return self.clocks_now.respond.met_at

    @property
    def resolve_met(self) -> bool | None:
        resolve = self.clocks_now.resolve
        return not resolve.breached if resolve.met_at else None

    @property
    def paused_total(self) -> int:
        return self.clocks_now.paused_minutes

    @property
    def legal_due(self) -> date | None:
        return self.clocks_now.legal_due

    @property
    def respond_breached(self) -> bool:
        return self.clocks_now.respond.breached

    @property
    def resolve_breached(self) -> bool:
        return self.clocks_now.resolve.breached

    @property
    def legal_breached(self) -> bool:
        return self.clocks_now.legal.breached

    @property
    def overdue(self) -> bool:
        return self.clocks_now.overdue

    @property
    def due_at(self) -> datetime | None:
        return self.clocks_now.due_at

    @property
    def ended_at(self) -> datetime | None:
        return self.clocks_now.ended_at


class Photo(Aggregate[PhotoView]):
    """A photo that somebody added to a réclamation."""

    __tablename__ = "photo"

    reclamation_id: Mapped[UUID]
    file: Mapped[StoredFile] = mapped_column(JsonColumn(StoredFile))
    by: Mapped[Role]


class Draft(Base):
    """An unfinished réclamation; `author_id` is whose it is."""

    __tablename__ = "reclamation_draft"

    author_id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[ReclamationDraft] = mapped_column(JsonColumn(ReclamationDraft))
    saved_at: Mapped[datetime]
    kept_until: Mapped[datetime]


def manager_says(coverage: Coverage, reason: str, now: datetime, rule: Warranty | None = None) -> Warranty:
    """The warranty that a manager's decision means, with the covers that pay its shares by the rule."""
    decided = Warranty.by_manager(SHARES.get(coverage, (0, 0, 0)), reason, now, rule)
    return decided.model_copy(update={"decision": coverage})
