"""Visits."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.position import Position
from sav_contracts.interventions.task import Appliance, Task
from sav_contracts.interventions.technician import Skill
from sav_contracts.interventions.visit import (
    Cause,
    InterventionStatus,
    InterventionView,
    LatenessCause,
    MadeMove,
    Purpose,
)
from sav_contracts.interventions.work import Work
from sav_contracts.labels import choices, label
from sav_contracts.sentences import Text
from sav_contracts.slot import Slot
from sav_interventions.lifecycle import (
    DID_NOT_HAPPEN,
    DONE,
    INTERVENTION,
    OVER,
    UNBEGUN_FOR,
    UNDER_WAY,
    WAITS_FOR,
)


class PausesFor(WrongField):
    field: str = "cause"
    causes: Text
    en = "a visit pauses for {causes}"
    fr = "une intervention se met en pause pour l’un de ces motifs : {causes}"


class EndsFor(WrongField):
    field: str = "cause"
    causes: Text
    en = "before its work has begun a visit ends as incomplete for {causes}"
    fr = "avant le début des travaux, une intervention ne reste inachevée que pour l’un de ces motifs : {causes}"


class WorkMissing(Conflict):
    """A visit can be completed only after its work is recorded."""

    code = "work_missing"
    en = "Describe the work first: what was done, and how long it took"
    fr = "Décrivez d’abord le travail : ce qui a été fait et le temps passé"


class SerialsMissing(Conflict):
    """Parts that a warranty pays for need their serial number; the detail names the articles."""

    code = "serials_missing"
    parts: str
    en = "A warranty pays for parts: give the serial number of {parts}"
    fr = "Une garantie prend en charge des pièces : indiquez le numéro de série de {parts}"


class NotUnderWay(Conflict):
    """Work is recorded once the visit has begun (what is measured once somebody is there), until its report is validated."""

    code = "not_under_way"
    state: Text
    en = "The visit is {state}: work is described from its beginning until its report is validated"
    fr = (
        "L’intervention est à l’état « {state} » : le travail se décrit "
        "de son début à la validation de son rapport"
    )


class NothingToHelpWith(Conflict):
    """Help is for a visit that is still to be done or under way."""

    code = "nothing_to_help_with"
    state: Text
    en = "The visit is {state}: nobody can help with it any more"
    fr = "L’intervention est à l’état « {state} » : il n’est plus possible de demander de l’aide"


class DidNotHappen(Conflict):
    """There is nothing to pay of a visit without work."""

    code = "did_not_happen"
    state: Text
    en = "The visit is {state}: there is nothing to pay"
    fr = "L’intervention est à l’état « {state} » : il n’y a rien à payer"


def _named(causes: Iterable[Cause]) -> Text:
    return choices({cause: label(cause).fr for cause in sorted(causes)})


class Intervention(Aggregate[InterventionView], Stateful[InterventionStatus]):
    """One visit of one technician: for a réclamation, or for none (maintenance, an installation)."""

    __tablename__ = "intervention"
    lifecycle = INTERVENTION

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None] = mapped_column(index=True)
    reclamation_reference: Mapped[str | None]
    status: Mapped[InterventionStatus]
    slot: Mapped[Slot | None] = mapped_column("planned", JsonColumn(Slot))
    reason: Mapped[str | None]
    assignment: Mapped[int] = mapped_column(default=0)
    purpose: Mapped[Purpose] = mapped_column(default="repair")
    product_id: Mapped[UUID | None] = mapped_column(index=True)
    # When the fault was reported; warranties are evaluated on that day at the product's place.
    reported_at: Mapped[datetime]
    warranty: Mapped[Warranty | None] = mapped_column(JsonColumn(Warranty))
    follows_id: Mapped[UUID | None] = mapped_column(index=True)
    done_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cause: Mapped[Cause | None]
    work: Mapped[Work | None] = mapped_column(JsonColumn(Work))
    # When its work was last said, since when it reads so, and when carbon monoxide was last measured, also where that
    # reading no longer stands in the work: by the telephone's clock where it was offline.
    work_at: Mapped[datetime | None]
    work_since: Mapped[datetime | None]
    measured_at: Mapped[datetime | None]
    place: Mapped[Place | None] = mapped_column(JsonColumn(Place))
    # What it is called and about, where it is for no réclamation.
    reference: Mapped[str | None] = mapped_column(index=True)
    article: Mapped[str | None]
    by_hand: Mapped[bool] = mapped_column(default=False)
    appliance: Mapped[Appliance | None] = mapped_column(JsonColumn(Appliance))
    tasks: Mapped[list[Task]] = mapped_column(JsonColumn(list[Task]), default=[])
    skills_needed: Mapped[tuple[Skill, ...]] = mapped_column(JsonColumn(tuple[Skill, ...]), default=())
    acts: Mapped[list[MadeMove]] = mapped_column(JsonColumn(list[MadeMove]), default=list)
    # When the timer that marks it as late is due; see `late.py`.
    late_at: Mapped[datetime | None]
    overdue: Mapped[bool] = mapped_column(default=False)
    lateness_cause: Mapped[LatenessCause | None]
    help_asked_at: Mapped[datetime | None]
    help_asked_for: Mapped[str | None]

    def move(
        self, to: InterventionStatus, by: Actor, reason: str | None = None, cause: Cause | None = None
    ) -> None:
        """Changes state as the table allows; pausing needs a cause to wait for, completing needs the recorded work."""
        before = self.status
        super().move(to, by)
        if to == "paused" and cause not in WAITS_FOR:
            raise PausesFor(causes=_named(WAITS_FOR))
        if (before, to) == ("on_site", "incomplete") and cause not in UNBEGUN_FOR:
            raise EndsFor(causes=_named(UNBEGUN_FOR))
        if to == "completed":
            self._check_completion()
        self.reason, self.cause = reason, cause
        self.help_asked_at = self.help_asked_for = None

    def note_move(
        self, by: Actor, now: datetime, at: datetime | None = None, position: Position | None = None
    ) -> None:
        """Keeps that it came into its state, where it did not happen `now` also when."""
        by_id = None if by.role is Role.SYSTEM else by.id
        made = MadeMove(to=self.status, at=at or now, recorded_at=now, by_id=by_id, position=position)
        self.acts = [*(self.acts or []), made]

    def _check_completion(self) -> None:
        # Whoever only measured on arrival recorded no time, and perhaps no word.
        if self.work is None or not self.work.labour or not self.work.solution:
            raise WorkMissing
        if self.warranty is None or self.warranty.parts == 0:
            return
        missing = [part.name for part in self.work.parts if part.serial is None]
        if missing:
            raise SerialsMissing(parts=", ".join(missing))

    def ask_for_help(self, text: str, at: datetime) -> None:
        """Notes what its technician needs help with, until the next move."""
        if self.status in OVER:
            raise NothingToHelpWith(state=label(self.status))
        self.help_asked_at, self.help_asked_for = at, text

    def record(self, work: Work) -> None:
        """Sets what was done, replacing what was recorded before."""
        if self.status not in {"on_site"} | UNDER_WAY | DONE or self.closed_at:
            raise NotUnderWay(state=label("closed") if self.closed_at else label(self.status))
        self.work = work
        if self.status == "completed":
            self._check_completion()

    def decide(self, warranty: Warranty) -> None:
        """Sets what a warranty pays of it."""
        if self.status in DID_NOT_HAPPEN:
            raise DidNotHappen(state=label(self.status))
        self.warranty = warranty

    def follows_covers(self) -> bool:
        """Whether another cover changes who pays: until the visit is over, and later while that is unknown."""
        if self.warranty is None or self.warranty.decision == "unknown":
            return True
        return self.status not in OVER and self.warranty.why != "decided_by_manager"

    def warranty_after(self, covers: Warranty, proven: bool) -> Warranty | None:
        """What pays for it after the product's covers changed; `proven` where that was the proof of purchase.

        A manager's shares stay; they get the covers that pay them, after the visit only by an accepted proof.
        """
        if self.follows_covers():
            return covers
        now = self.warranty
        open_to_covers = self.status not in OVER or (proven and now is not None and now.cover is None)
        if now and now.why == "decided_by_manager" and open_to_covers:
            return now.by_covers_of(covers)
        return now

    def needs_follow_up(self) -> bool:
        """Whether another visit is needed."""
        return self.status == "no_access" or (
            self.status == "incomplete" and self.cause != "estimate_refused"
        )

    def follow_up(self, id: UUID) -> "Intervention":
        """The visit that continues this one; it has no slot yet."""
        return Intervention(
            id=id,
            client_id=self.client_id,
            technician_id=self.technician_id,
            reclamation_id=self.reclamation_id,
            reclamation_reference=self.reclamation_reference,
            reference=self.reference,
            article=self.article,
            assignment=self.assignment,
            status="planned",
            purpose=self.purpose,
            product_id=self.product_id,
            place=self.place,
            skills_needed=self.skills_needed,
            reported_at=self.reported_at,
            warranty=self.warranty,
            follows_id=self.id,
        )

    def given_to(self, technician_id: UUID, id: UUID) -> "Intervention":
        """The same visit as another technician's, in place of this one."""
        theirs = self.follow_up(id)
        theirs.technician_id, theirs.follows_id = technician_id, self.follows_id
        return theirs
