"""Sessions: their tokens, their second factor, their end."""

from uuid import UUID

from sqlalchemy import update

from sav_auth.keys import signer
from sav_auth.model import Account, SecondFactor, Session
from sav_chassis.identity import ACCESS_SECONDS
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.session import SessionEnd, SignedIn

# With more sessions than this, an event names the person instead of each of them.
MOST_NAMED = 100


async def issue_tokens(tx: Tx, account: Account, session: Session) -> SignedIn:
    """The tokens of a session, for its person's current role."""
    enrolling = (
        tx.settings.admin_second_factor
        and account.role is Role.ADMIN
        and await factor_of(tx, account) is None
    )
    actor = Actor(id=account.id, role=account.role, session=session.id, enrolling=enrolling)
    return SignedIn(
        access_token=(await signer(tx)).token(actor),
        expires_in=ACCESS_SECONDS,
        refresh_token=session.token(tx.settings.link_secret),
        refresh_expires_in=int((session.ends_at - tx.now).total_seconds()),
        user_id=account.id,
        role=account.role,
        second_factor_missing=enrolling,
    )


async def factor_of(tx: Tx, account: Account) -> SecondFactor | None:
    """The confirmed second factor, which a sign-in asks for; locked. None where there is none."""
    factor = await any_factor(tx, account)
    return factor if factor and factor.confirmed_at else None


async def any_factor(tx: Tx, account: Account) -> SecondFactor | None:
    """The same, confirmed or not."""
    return await tx.session.get(SecondFactor, account.id, with_for_update=True, populate_existing=True)


async def end_all(tx: Tx, account: Account, why: SessionEnd, but: UUID | None = None) -> tuple[UUID, ...]:
    """Ends an account's sessions, except `but`; returns what `Revokes.revoked` names to refuse their tokens."""
    ending = update(Session).where(
        Session.account_id == account.id, Session.ended_at.is_(None), Session.id.is_distinct_from(but)
    )
    ended = await tx.session.scalars(
        ending.values(ended_at=tx.now, why=why).returning(Session.id),
        execution_options={"synchronize_session": False},
    )
    ids = tuple(ended)
    return ids if len(ids) <= MOST_NAMED else (account.id,)
