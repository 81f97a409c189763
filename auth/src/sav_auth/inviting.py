"""Inviting: a link with which somebody chooses their first password."""

from sav_auth.grants import new_grant, revoke_grants
from sav_auth.model import Account, Grant
from sav_chassis.tx import Tx
from sav_contracts.auth.account import UserInvited


async def invite(tx: Tx, account: Account) -> Grant:
    """Revokes the old link and has a new one sent."""
    await revoke_grants(tx, account, "invitation")
    grant = new_grant(tx, "invitation", account)
    tx.emit(account, UserInvited(grant_id=grant.id, expires_at=grant.expires_at))
    return grant
