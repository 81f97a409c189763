"""Access that was taken away while a room heard nothing of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sav_chassis.identity import OUTLIVED
from sav_chassis.projector import Told
from sav_chassis.revoking import revoke
from sav_chassis.settings import Settings
from sav_contracts.messages import Revokes
from sav_ops import history

KNOWN = "SELECT subject, not_before FROM revoked"


def that_matter(told: Sequence[Told]) -> list[Told]:
    """Those of these events that revoke tokens which may still be used."""
    oldest = datetime.now(UTC) - timedelta(seconds=OUTLIVED)
    return [one for one in told if isinstance(one[1], Revokes) and one[0].at > oldest]


async def make_good(settings: Settings, room: str, told: Sequence[Told]) -> int:
    """From here on the room refuses what these events revoke; answers how many of them had not come to it."""
    async with history.connected(settings, room) as own:
        known = dict(await own.fetch(KNOWN))
        missed = {
            envelope.id: (envelope, event)
            for envelope, event in that_matter(told)
            if isinstance(event, Revokes)
            and any(subject not in known or known[subject] < envelope.at for subject in event.revoked)
        }
        await revoke(own, list(missed.values()))
    return len(missed)
