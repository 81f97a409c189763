"""Timers of interventions."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.attestation import AttestationReminderDue
from sav_interventions.app import interventions
from sav_interventions.model import Attestation
from sav_interventions.settings import billing

# So many days before its last one somebody is reminded of an attestation; and again when that is over.
REMINDED_BEFORE = timedelta(days=5)
# When people are at work.
MORNING = time(9)


@interventions.timer
async def remind_of_attestation(id: UUID, tx: Tx) -> str | None:
    """Reminds of an attestation that is still to be made, some days before it is due and the day after."""
    attestation = await tx.load(Attestation, id, SYSTEM)
    if attestation.status == "made":
        return "obsolete: it is made"
    overdue = tx.now.astimezone(_zone()).date() > attestation.due_on
    if not overdue:
        tx.remind(remind_of_attestation, id, _morning_after(attestation))
    tx.emit(attestation, AttestationReminderDue(overdue=overdue))
    return None


def reminder_at(attestation: Attestation, now: datetime) -> datetime:
    """When somebody is first reminded; where that time is over, the next morning."""
    first = datetime.combine(attestation.due_on - REMINDED_BEFORE, MORNING, _zone())
    tomorrow = datetime.combine(now.astimezone(_zone()).date() + timedelta(days=1), MORNING, _zone())
    return first if first > now else min(tomorrow, _morning_after(attestation))


def _morning_after(attestation: Attestation) -> datetime:
    return datetime.combine(attestation.due_on + timedelta(days=1), MORNING, _zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(billing().law.zone)
