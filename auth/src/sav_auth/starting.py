"""What auth tells before it answers."""

from sav_auth import keys, policies
from sav_auth.app import auth
from sav_chassis.tx import Tx


@auth.at_start
async def announce(tx: Tx) -> None:
    """Keys and policies that nobody has heard of yet."""
    await keys.announce(tx)
    await policies.show(tx)
