"""What auth does at its start, before it handles messages."""

from sav_auth import demo, keys, policies
from sav_auth.app import auth
from sav_auth.timers import forget_old
from sav_chassis.tx import Tx
from sav_contracts.actor import NOBODY


@auth.at_start
async def refuse_the_demo(tx: Tx) -> None:
    """Refuses to start in production with demo accounts."""
    await demo.check_none(tx)


@auth.at_start
async def announce(tx: Tx) -> None:
    """Announces signing keys and policies that no event has announced yet."""
    await keys.announce(tx)
    await policies.announce_policies(tx)


@auth.at_start
async def forget(tx: Tx) -> None:
    """Deletes expired records now, and every day from then on."""
    tx.remind(forget_old, NOBODY, tx.now)
