"""Revocations of access that a room has missed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sav_chassis.identity import OUTLIVED
from sav_chassis.revocations import revoke, revoked
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent
from sav_contracts.messages import Revokes
from sav_ops.databases import connected


def that_matter(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events that revoke tokens which have not expired yet."""
    oldest = datetime.now(UTC) - timedelta(seconds=OUTLIVED)
    return [one for one in events if isinstance(one[1], Revokes) and one[0].at > oldest]


async def make_good(settings: Settings, room: str, events: Sequence[RecordedEvent]) -> int:
    """Make the room refuse what these events revoke; return how many of them it had missed."""
    async with connected(settings, room) as own:
        known = await revoked(own)
        missed = {
            envelope.id: (envelope, event)
            for envelope, event in that_matter(events)
            if isinstance(event, Revokes)
            and any(subject not in known or known[subject] < envelope.at for subject in event.revoked)
        }
        await revoke(own, list(missed.values()))
    return len(missed)
