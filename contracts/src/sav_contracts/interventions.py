"""Technicians and their visits."""

from typing import ClassVar, Literal
from uuid import UUID

from sav_contracts.claims import Slot
from sav_contracts.messages import Command, Event, Personal, PersonId, Reason, Scope, View

InterventionStatus = Literal[
    "planned",
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "incomplete",
    "no_access",
    "cancelled",
]
InterventionMove = Literal["accepted", "declined", "en_route", "on_site", "in_progress"]


class TechnicianView(View):
    """A technician's card; no contacts."""

    scope: ClassVar[Scope] = Scope.ROOT

    technician_id: PersonId
    name: Personal[str]
    active: bool


class InterventionForClient(View):
    """A visit as the client sees it: being planned, under way or over."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str
    status: InterventionStatus
    slot: Slot | None


class InterventionView(InterventionForClient):
    """A visit as staff see it."""

    reason: str | None
    # Which assignment of the réclamation it was planned for.
    assignment: int = 0

    def for_client(self) -> InterventionForClient:
        plainer: dict[str, InterventionStatus] = {"accepted": "planned", "declined": "cancelled"}
        return self.part(InterventionForClient).model_copy(
            update={"status": plainer.get(self.status, self.status)}
        )

    def is_open(self) -> bool:
        return self.status in {"planned", "accepted", "en_route", "on_site", "in_progress", "paused"}

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id})


class MoveIntervention(Command[InterventionView]):
    """Accept, decline (with a reason), be on the way, arrive, start."""

    intervention_id: UUID
    to: InterventionMove
    reason: Reason | None = None


class TechnicianChanged(Event):
    """A technician's card is new or different."""

    state: TechnicianView


class InterventionPlanned(Event):
    """A visit is planned for an assigned réclamation."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    slot: Slot | None = None


class InterventionMoved(Event):
    """A visit changed state with no event of its own name."""

    state: InterventionView
    before: InterventionStatus
    after: InterventionStatus
    reason: str | None = None

    def for_client(self) -> "InterventionMoved | None":
        if self.after not in {"en_route", "on_site", "cancelled"}:
            return None
        # What a technician told the manager is not for the client; nor is who had accepted before.
        return self.model_copy(
            update={"before": "planned" if self.before == "accepted" else self.before, "reason": None}
        )


class InterventionStarted(Event):
    """Work on site has begun."""

    client_sees: ClassVar[bool] = True

    state: InterventionView


class AssignmentRefused(Event):
    """The visit of the technician in `state` is already on site, so the réclamation stays with them."""

    state: InterventionView
    refused_technician_id: PersonId
