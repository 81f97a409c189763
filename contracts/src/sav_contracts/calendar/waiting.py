"""Clients who wait for an earlier time."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Changed, Command, Event, PersonId, View
from sav_contracts.slot import Slot
from sav_contracts.visibility import Own, Visible

EarlierStatus = Literal["waiting", "offered", "ended"]


class EarlierVisitView(View):
    """Whether a client waits for an earlier visit for a réclamation, and what is offered to them.

    What is offered is held for them until `offered_until`: booking it (`POST /appointments` with `offer_id`) moves their
    visit to that time. Otherwise their visit stays as it is, and they wait no longer. It is taken back before, and they wait
    on, where the technician cannot come then, or the visit was changed otherwise. Offers are made from 8 to 20 where the
    visit is.
    """

    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    client_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str = Field(examples=["REC-2026-000001"])
    status: EarlierStatus
    # Who asked first is offered first.
    asked_at: datetime = Field(examples=["2026-03-02T08:15:00Z"])
    offer_id: UUID | None = None
    offered: Slot | None = None
    offered_until: datetime | None = Field(default=None, examples=["2026-03-02T10:15:00Z"])
    zone: str = Field(examples=["Europe/Paris"])

    @property
    def parent(self) -> UUID:
        return self.reclamation_id

    def is_open(self) -> bool:
        return self.status != "ended"

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id})


class AskForEarlier(Command[EarlierVisitView]):
    """Wait for an earlier time of the visit that is booked for a réclamation: what gets free is offered in order."""

    reclamation_id: UUID


class StopWaiting(Command[EarlierVisitView]):
    """Wait for an earlier time no longer; what is offered is free again."""

    reclamation_id: UUID


EarlierVisitChanged = Changed[EarlierVisitView]


class EarlierVisitOffered(Event[EarlierVisitView]):
    """An earlier time is free, and held for the client for a while."""

    client_sees: ClassVar[bool] = True

    technician_id: PersonId
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])


class EarlierVisitTakenBack(Event[EarlierVisitView]):
    """The earlier time that was offered is not to be had any more, and its client had not chosen it: they wait on."""

    client_sees: ClassVar[bool] = True

    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])
