"""Timers of auth."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from sav_auth.accounts import by_email
from sav_auth.app import auth
from sav_auth.grants import has_too_many_links, new_grant
from sav_auth.model import Account, Grant, LinkRequest, LoginAttempt, Session
from sav_auth.model.attempt import RETENTION
from sav_auth.model.session import IDLE
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import AccountChanged, EmailVerificationRequested
from sav_contracts.auth.session import PasswordResetRequested

# The most rows of a table that one run deletes; the rest follow a minute later.
AT_ONCE = 10_000


@auth.timer
async def answer_wish(id: UUID, tx: Tx) -> str | None:
    """Has a requested link sent, if there is such an account; the reply to the request did not reveal that."""
    wish = await tx.session.get_one(LinkRequest, id)
    await tx.session.delete(wish)
    found = await by_email(tx, wish.email)
    if found is None:
        return "there is no such account"
    account = await tx.load(Account, found.id, SYSTEM)
    if account.status != "active":
        return f"the account is {account.status}"
    if wish.purpose == "verify-email" and account.email_verified:
        return "the address is confirmed"
    if await has_too_many_links(tx, account, wish.purpose):
        return "it had enough links just now"
    event = PasswordResetRequested if wish.purpose == "password-reset" else EmailVerificationRequested
    grant = new_grant(tx, wish.purpose, account)
    tx.emit(account, event(grant_id=grant.id, expires_at=grant.expires_at))
    return None


@auth.timer
async def forget_old(id: UUID, tx: Tx) -> str | None:
    """Deletes old attempts, sessions and grants, and runs again a day later. `answer_wish` deletes link requests."""
    before = tx.now - RETENTION
    # LEAST ignores NULL: a session without `ended_at` has expired.
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


@auth.timer
async def tell_account(id: UUID, tx: Tx) -> None:
    """Emits the account's view after a migration changed its row."""
    tx.emit(await tx.load(Account, id, SYSTEM), AccountChanged())
