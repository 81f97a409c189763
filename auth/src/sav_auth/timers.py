"""What is looked into after the answer, so that the answer does not tell whether there is such an account."""

from uuid import UUID

from sav_auth.accounts import by_email
from sav_auth.app import auth
from sav_auth.grants import granted, had_enough
from sav_auth.model import Account, Wish
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import EmailVerificationRequested
from sav_contracts.auth.session import PasswordResetRequested


@auth.timer
async def answer_wish(id: UUID, tx: Tx) -> str | None:
    """Has the link sent that somebody asked for by an address."""
    wish = await tx.session.get_one(Wish, id)
    await tx.session.delete(wish)
    found = await by_email(tx, wish.email)
    if found is None:
        return "there is no such account"
    account = await tx.load(Account, found.id, SYSTEM)
    if account.status != "active":
        return f"the account is {account.status}"
    if wish.purpose == "verify-email" and account.email_verified:
        return "the address is confirmed"
    if await had_enough(tx, account, wish.purpose):
        return "it had enough links just now"
    event = PasswordResetRequested if wish.purpose == "password-reset" else EmailVerificationRequested
    grant = granted(tx, wish.purpose, account)
    tx.emit(event, account, grant_id=grant.id, expires_at=grant.expires_at)
    return None
