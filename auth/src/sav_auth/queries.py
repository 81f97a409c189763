"""Sessions and sign-in attempts."""

from sqlalchemy import select

from sav_auth.app import auth
from sav_auth.model import Account, LoginAttempt, SecondFactor, Session
from sav_auth.model.session import IDLE
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.session import FindSessions, FindSignIns, Sessions, SignIns, SignInShown

MOST_SHOWN = 100


@auth.query(FindSessions)
async def find_sessions(query: FindSessions, tx: Tx, by: Actor) -> Sessions:
    """The caller's open sessions."""
    found = await tx.session.scalars(
        select(Session)
        .where(
            Session.account_id == by.id,
            Session.ended_at.is_(None),
            Session.expires_at > tx.now,
            Session.last_seen_at > tx.now - IDLE,
        )
        .order_by(Session.last_seen_at.desc(), Session.id)
        .limit(MOST_SHOWN)
    )
    return Sessions(items=[session.shown(by.session) for session in found])


@auth.query(FindSignIns)
async def find_sign_ins(query: FindSignIns, tx: Tx, by: Actor) -> SignIns:
    """The newest attempts at the caller's own account; an admin sees those at any."""
    account = await tx.read(Account, query.account_id, by)
    tries = select(LoginAttempt).where(LoginAttempt.account_id == account.id)
    if query.before:
        tries = tries.where(LoginAttempt.at < query.before)
    newest = tries.order_by(LoginAttempt.at.desc(), LoginAttempt.id.desc()).limit(MOST_SHOWN)
    factor = await tx.session.get(SecondFactor, account.id)
    on = factor is not None and factor.confirmed_at is not None
    return SignIns(
        second_factor=on,
        recovery_codes_left=factor.recovery_left if factor and on else 0,
        items=[
            SignInShown.model_validate(attempt, from_attributes=True)
            for attempt in await tx.session.scalars(newest)
        ],
    )
