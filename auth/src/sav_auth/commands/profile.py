"""One's own account, and where one is signed in."""

from sqlalchemy import select

from sav_auth.accounts import change
from sav_auth.app import auth
from sav_auth.model import Account, Session
from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import Accepted, ChangeProfile, UserUpdated
from sav_contracts.auth.session import EndSession, SessionEnded


@auth.command(ChangeProfile)
async def change_profile(cmd: ChangeProfile, tx: Tx, by: Actor) -> Account:
    """Change what is given of one's own account."""
    account = await tx.load(Account, by.id, by)
    if change(account, cmd):
        tx.emit(UserUpdated, account)
    return account


@auth.command(EndSession)
async def end_session(cmd: EndSession, tx: Tx, by: Actor) -> Accepted:
    """End one of one's own sessions; one that is over stays so."""
    account = await tx.load(Account, by.id, by)
    session = await tx.first(
        select(Session).where(Session.id == cmd.session_id, Session.account_id == account.id)
    )
    if session is None:
        raise NotFound(f"there is no session {cmd.session_id}")
    if session.is_open(tx.now):
        session.end("ended", tx.now)
        tx.emit(SessionEnded, account, session_id=session.id, why="ended", revoked=(session.id,))
    return Accepted()
