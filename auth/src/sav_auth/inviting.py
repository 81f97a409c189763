"""Inviting: a link with which somebody chooses their first password."""

from sav_auth.grants import granted, withdraw
from sav_auth.model import Account, Grant
from sav_chassis.tx import Tx
from sav_contracts.auth.account import UserInvited


async def invite(tx: Tx, account: Account) -> Grant:
    """Sends a link in place of the old one."""
    await withdraw(tx, account, "invitation")
    grant = granted(tx, "invitation", account)
    tx.emit(UserInvited, account, grant_id=grant.id, expires_at=grant.expires_at)
    return grant
