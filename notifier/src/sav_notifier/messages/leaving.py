"""The message to managers about a technician who takes no visits any more."""

from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_notifier.message import Message, message
from sav_notifier.recipients import Recipient, managers

# How many réclamations of somebody who left are named.
NAMED = 20
# They have set out; these visits stay with them until a manager decides, or they end.
UNDER_WAY: frozenset[InterventionStatus] = frozenset({"en_route", "on_site", "in_progress", "paused"})


async def other_managers(event: TechnicianLeft, tx: Tx) -> list[Recipient]:
    """All managers but the one who left: a technician may have become a manager."""
    return [one for one in await managers(event, tx) if one.id != event.state.id]


@message(
    "technician_left",
    on={TechnicianLeft: "tell_who_left"},
    to=other_managers,
    category="alert",
)
class WhoLeft(Message):
    """Managers learn which réclamations and visits need another technician, where the one who left is on the way or at
    work, and which reports are left to finish.
    """

    technician: str
    references: list[str]
    more: int
    under_way: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()

    @classmethod
    async def about(cls, event: TechnicianLeft, tx: Tx) -> Self | str:
        claims = tx.copies(ReclamationView).where(technician_id=event.state.id, open=True)
        visits = await tx.copies(InterventionView).where(technician_id=event.state.id, open=True).all()
        names = {visit.id: visit.called for visit in visits}
        under_way = {names[visit.id] for visit in visits if visit.status in UNDER_WAY}
        over, reports = await _over(event.state.id, tx)
        # What is done waits for nobody; where another visit follows, that one is open.
        waiting = {one.reference for one in await claims.all() if one.status != "resolved"} - over
        found = sorted((waiting | set(names.values())) - under_way)
        if not found and not under_way and not reports:
            return "nothing of theirs is under way"
        return cls(
            technician=event.state.name,
            references=found[:NAMED],
            more=max(0, len(found) - NAMED),
            under_way=tuple(sorted(under_way)[:NAMED]),
            reports=tuple(sorted(reports)[:NAMED]),
        )

    def true_while(self, record: TechnicianView) -> bool:
        return not record.active


async def _over(technician_id: UUID, tx: Tx) -> tuple[set[str], set[str]]:
    """Which of their visits are over and not closed, and of which ones somebody still has to write the report."""
    visits = tx.copies(InterventionView).where(
        technician_id=technician_id, status=["completed", "incomplete"]
    )
    over, closed = await visits.field("status"), await visits.field("closed_at")
    not_closed = {id for id in over if closed.get(id) is None}
    reports = tx.copies(ReportView)
    handed_in = set((await reports.where(status="submitted").field("intervention_id")).values())
    sent_back = set((await reports.where(status="sent_back").field("intervention_id")).values())
    to_write = {id for id in over if str(id) in sent_back or (id in not_closed and str(id) not in handed_in)}
    names = {id: (await tx.view(InterventionView, id)).called for id in not_closed | to_write}
    return {names[id] for id in not_closed}, {names[id] for id in to_write}
