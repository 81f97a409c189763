"""The caller's own account and sessions."""

from sqlalchemy import select

from sav_auth.accounts import change
from sav_auth.app import auth
from sav_auth.attempts import check_throttle
from sav_auth.grants import LINKS_WITHIN, TooManyLinks, has_too_many_links, new_grant, revoke_grants
from sav_auth.model import Account, Session
from sav_auth.proof import check_password_again
from sav_chassis.errors import NoSuch, RecordedRefusal, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import (
    Accepted,
    ChangeProfile,
    EmailChangeRequested,
    EmailVerificationRequested,
    UserUpdated,
)
from sav_contracts.auth.session import EndSession, SessionEnded
from sav_contracts.labels import label


class PasswordNeeded(WrongField):
    field: str = "current_password"
    en = "say your password too: it is about the address you sign in with"
    fr = "indiquez aussi votre mot de passe : il s’agit de l’adresse avec laquelle vous vous connectez"


@auth.command(ChangeProfile)
async def change_profile(cmd: ChangeProfile, tx: Tx, by: Actor) -> Account | RecordedRefusal:
    """Change the given fields of the caller's account. A new address needs the password and the link sent there."""
    if cmd.email:
        await check_throttle(tx, by.id)
    account = await tx.load(Account, by.id, by)
    if cmd.email and cmd.email != account.email:
        if cmd.current_password is None:
            raise PasswordNeeded
        if wrong := await check_password_again(tx, account, "current_password", cmd.current_password):
            return wrong
        await _ask_for_address(tx, account, cmd.email)
    said = cmd.model_copy(update={"email": account.email}) if cmd.email else cmd
    if change(account, said, but={"current_password"}):
        tx.emit(account, UserUpdated())
    return account


async def _ask_for_address(tx: Tx, account: Account, email: str) -> None:
    """Does not check whether the address is taken: opening the link does, which also proves whose mailbox it is."""
    if await has_too_many_links(tx, account, "change-email"):
        raise TooManyLinks(retry_after=int(LINKS_WITHIN.total_seconds()))
    await revoke_grants(tx, account, "change-email")
    grant = new_grant(tx, "change-email", account, email)
    tx.emit(account, EmailChangeRequested())
    tx.emit(account, EmailVerificationRequested(grant_id=grant.id, expires_at=grant.expires_at, email=email))


@auth.command(EndSession)
async def end_session(cmd: EndSession, tx: Tx, by: Actor) -> Accepted:
    """End one of the caller's own sessions; no error where it has ended already."""
    account = await tx.load(Account, by.id, by)
    session = await tx.first(
        select(Session).where(Session.id == cmd.session_id, Session.account_id == account.id)
    )
    if session is None:
        raise NoSuch(kind=label("session"), id=cmd.session_id)
    if session.is_open(tx.now):
        session.end("ended", tx.now)
        tx.emit(account, SessionEnded(session_id=session.id, why="ended", revoked=(session.id,)))
    return Accepted()
