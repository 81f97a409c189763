"""Visits."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict, Invalid
from sav_chassis.model import Aggregate, Kept
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import Warranty
from sav_contracts.claims import Slot
from sav_contracts.interventions.visit import Cause, InterventionStatus, InterventionView, Purpose, Work
from sav_interventions.lifecycle import DID_NOT_HAPPEN, INTERVENTION, UNDER_WAY, WAITS_FOR


class WorkMissing(Conflict):
    """A visit is completed once its work is described."""

    code = "work_missing"


class SerialsMissing(Conflict):
    """What a warranty pays for is known by its serial number; the detail names the articles."""

    code = "serials_missing"


class NotUnderWay(Conflict):
    """Work is described while it is done."""

    code = "not_under_way"


class DidNotHappen(Conflict):
    """There is nothing to pay of a visit without work."""

    code = "did_not_happen"


class Intervention(Aggregate):
    """One visit of one technician for a réclamation."""

    __tablename__ = "intervention"

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID] = mapped_column(index=True)
    reclamation_reference: Mapped[str]
    status: Mapped[InterventionStatus]
    slot: Mapped[Slot | None] = mapped_column("planned", Kept(Slot))
    reason: Mapped[str | None]
    assignment: Mapped[int] = mapped_column(default=0)
    purpose: Mapped[Purpose] = mapped_column(default="repair")
    product_id: Mapped[UUID | None] = mapped_column(index=True)
    # The day of the fault, by which a warranty is judged.
    reported_on: Mapped[date]
    warranty: Mapped[Warranty | None] = mapped_column(Kept(Warranty))
    follows_id: Mapped[UUID | None] = mapped_column(index=True)
    done_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cause: Mapped[Cause | None]
    work: Mapped[Work | None] = mapped_column(Kept(Work))

    def move(
        self, to: InterventionStatus, reason: str | None, by: Actor, cause: Cause | None = None
    ) -> InterventionStatus:
        """Changes state as the table and what it takes allow; answers the state before."""
        INTERVENTION.check(self.status, to, by)
        if to == "paused" and cause not in WAITS_FOR:
            raise Invalid.field("cause", f"a visit pauses for {', '.join(sorted(WAITS_FOR))}")
        if to == "completed":
            self._check_completion()
        before, self.status, self.reason, self.cause = self.status, to, reason, cause
        return before

    def _check_completion(self) -> None:
        if self.work is None:
            raise WorkMissing("describe the work first: what was done, and how long it took")
        if self.warranty is None or self.warranty.parts == 0:
            return
        missing = [part.name for part in self.work.parts if part.serial is None]
        if missing:
            raise SerialsMissing(f"a warranty pays for parts: give the serial number of {', '.join(missing)}")

    def record(self, work: Work) -> None:
        """Keeps what was done, in place of what was said before."""
        if self.status not in UNDER_WAY:
            raise NotUnderWay(
                f"the visit is {self.status}: work is described while it is in progress or paused"
            )
        self.work = work

    def decide(self, warranty: Warranty) -> None:
        """Keeps what a warranty pays of it."""
        if self.status in DID_NOT_HAPPEN:
            raise DidNotHappen(f"the visit is {self.status}: there is nothing to pay")
        self.warranty = warranty

    def is_undecided(self) -> bool:
        """Whether it still asks who pays."""
        return self.warranty is None or self.warranty.decision == "unknown"

    def is_decided_by_manager(self) -> bool:
        return self.warranty is not None and self.warranty.why == "decided_by_manager"

    def needs_follow_up(self) -> bool:
        """Whether somebody has to come again."""
        return self.status == "no_access" or (
            self.status == "incomplete" and self.cause != "estimate_refused"
        )

    def follow_up(self, id: UUID) -> "Intervention":
        """The visit that goes on with this one, still without a time."""
        return Intervention(
            id=id,
            client_id=self.client_id,
            technician_id=self.technician_id,
            reclamation_id=self.reclamation_id,
            reclamation_reference=self.reclamation_reference,
            assignment=self.assignment,
            status="planned",
            purpose=self.purpose,
            product_id=self.product_id,
            reported_on=self.reported_on,
            warranty=self.warranty,
            follows_id=self.id,
        )

    def view(self) -> InterventionView:
        return InterventionView.model_validate(self, from_attributes=True)
