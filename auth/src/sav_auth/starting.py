"""What auth does before it answers."""

from sav_auth import keys, policies
from sav_auth.app import auth
from sav_auth.timers import forget_old
from sav_chassis.tx import Tx
from sav_contracts.actor import NOBODY


@auth.at_start
async def announce(tx: Tx) -> None:
    """Keys and policies that nobody has heard of yet."""
    await keys.announce(tx)
    await policies.show(tx)


@auth.at_start
async def forget(tx: Tx) -> None:
    """What is too old goes now, and from then on every day."""
    tx.remind(forget_old, NOBODY, tx.now)
