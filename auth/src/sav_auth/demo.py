"""The demo accounts, whose password is public: not allowed in production."""

from collections.abc import Sequence

from pydantic import SecretStr
from sqlalchemy import select

from sav_auth.commands.user import deactivate_account
from sav_auth.model import Account
from sav_auth.passwords import matches
from sav_chassis.startup_checks import CannotStart
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.demo import ADDRESSES, PASSWORD


async def check_none(tx: Tx) -> None:
    """Raises `CannotStart` in production where somebody could still sign in as one of them."""
    if tx.settings.environment == "production" and (left := await _left(tx)):
        addresses = ", ".join(account.email for account in left)
        raise CannotStart(
            f"auth: in production nobody may sign in as the demo's {addresses}, whose password everybody can read; "
            "remove them: ./sav demo --remove"
        )


async def remove(tx: Tx) -> list[str]:
    """Deactivates them for good and returns their addresses. Their records stay."""
    left = await _left(tx)
    for account in left:
        await deactivate_account(tx, account, SYSTEM)
        # An account that is activated again must not have this password.
        account.password_hash = None
    return [account.email for account in left]


async def _left(tx: Tx) -> Sequence[Account]:
    """The active accounts with a demo address and the demo password, locked. Another password means a real person."""
    those = select(Account).where(Account.email.in_(ADDRESSES), Account.status == "active")
    found = await tx.session.scalars(those.order_by(Account.email).with_for_update())
    password = SecretStr(PASSWORD)
    return [account for account in found.all() if await matches(account.password_hash, password)]
