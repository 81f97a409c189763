"""Messages to managers and admins about réclamations that are nearly or wholly overdue."""

from datetime import date, datetime
from typing import Self

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.claims.reclamation import (
    Priority,
    ReclamationView,
)
from sav_contracts.claims.sla import ClockName, SlaBreached, SlaWarning
from sav_notifier.message import Message, message
from sav_notifier.recipients import client, managers, managers_and_admins


def still_runs(record: ReclamationView, clock: ClockName) -> bool:
    """Whether somebody can still do something about it."""
    if not record.is_open() or record.status == "resolved":
        return False
    return record.responded_at is None if clock == "respond" else True


class ClockFacts(Message):
    """What managers read of a clock that is nearly or wholly over."""

    reference: str
    client: str
    article: str
    priority: Priority
    clock: ClockName
    due: datetime
    zone: str
    # The last day of the legal time, where there is one.
    legal_due: date | None = None

    @classmethod
    async def about(cls, event: SlaWarning | SlaBreached, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            client=(await client(tx, state.client_id)).name,
            article=state.article,
            priority=state.priority,
            clock=event.clock,
            due=event.due,
            zone=(await tx.policy(SlaTargets)).zone,
            legal_due=state.legal_due,
        )


@message("sla_warning", on=SlaWarning, to=managers, category="alert", since="2026-11-29")
class NearlyOverdue(ClockFacts):
    """Managers learn what is due soon."""

    def useful_until(self) -> datetime:
        return self.due

    def true_while(self, record: ReclamationView) -> bool:
        # The others stand still then.
        asked = record.status == "awaiting_client" and self.clock != "legal"
        return still_runs(record, self.clock) and not asked


@message("sla_breached", on=SlaBreached, to=managers_and_admins, category="alert", since="2026-11-29")
class Overdue(ClockFacts):
    """Managers and admins learn what is overdue."""

    def true_while(self, record: ReclamationView) -> bool:
        return still_runs(record, self.clock)
