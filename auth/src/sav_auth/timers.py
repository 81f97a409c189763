"""What auth does when its time has come."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from sav_auth.accounts import by_email
from sav_auth.app import auth
from sav_auth.grants import granted, had_enough
from sav_auth.model import Account, Grant, LoginAttempt, Session, Wish
from sav_auth.model.attempt import KEPT
from sav_auth.model.session import IDLE
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import EmailVerificationRequested
from sav_contracts.auth.session import PasswordResetRequested

# So many rows of a table are forgotten at once; the rest follow a minute later.
AT_ONCE = 10_000


@auth.timer
async def answer_wish(id: UUID, tx: Tx) -> str | None:
    """Has the link sent that somebody asked for by an address; what they were answered did not tell whether it will be."""
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


@auth.timer
async def forget_old(id: UUID, tx: Tx) -> str | None:
    """Forgets old tries to sign in, sessions and links, and looks again tomorrow. Wishes went when they were answered."""
    before = tx.now - KEPT
    # LEAST passes over what is NULL: a session that was never ended has run out.
    over = func.least(Session.ended_at, Session.expires_at, Session.last_seen_at + IDLE)
    gone = [
        await _forgotten(tx, LoginAttempt, LoginAttempt.at < before),
        await _forgotten(tx, Session, over < before),
        await _forgotten(tx, Grant, Grant.expires_at < before),
    ]
    tx.remind(forget_old, id, tx.now + timedelta(minutes=1 if AT_ONCE in gone else 24 * 60))
    return None if any(gone) else "nothing is that old"


async def _forgotten(tx: Tx, model: type[LoginAttempt | Session | Grant], old: ColumnElement[bool]) -> int:
    some = select(model.id).where(old).limit(AT_ONCE)
    deleted = await tx.session.execute(
        delete(model).where(model.id.in_(some)).returning(model.id),
        execution_options={"synchronize_session": False},
    )
    return len(deleted.all())
