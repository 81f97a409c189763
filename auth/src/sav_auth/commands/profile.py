"""One's own account, and where one is signed in."""

from sqlalchemy import select

from sav_auth.accounts import change
from sav_auth.app import auth
from sav_auth.attempts import check_patience
from sav_auth.grants import LINKS_WITHIN, TooManyLinks, granted, had_enough, withdraw
from sav_auth.model import Account, Session
from sav_auth.proof import prove
from sav_chassis.errors import Invalid, NotFound, Refused
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


@auth.command(ChangeProfile)
async def change_profile(cmd: ChangeProfile, tx: Tx, by: Actor) -> Account | Refused:
    """Change what is given of one's own account; a new address by the link that is sent there, after the password."""
    if cmd.email:
        await check_patience(tx, by.id)
    account = await tx.load(Account, by.id, by)
    if cmd.email and cmd.email != account.email:
        if cmd.current_password is None:
            raise Invalid.field(
                "current_password", "say your password too: it is about the address you sign in with"
            )
        if wrong := await prove(tx, account, "current_password", cmd.current_password):
            return wrong
        await _ask_for_address(tx, account, cmd.email)
    said = cmd.model_copy(update={"email": account.email}) if cmd.email else cmd
    if change(account, said, but={"current_password"}):
        tx.emit(UserUpdated, account)
    return account


async def _ask_for_address(tx: Tx, account: Account, email: str) -> None:
    """Whether somebody else has it is seen when the link is opened: by then it is known whose mailbox it is."""
    if await had_enough(tx, account, "change-email"):
        seconds = int(LINKS_WITHIN.total_seconds())
        raise TooManyLinks(
            f"too many links were sent just now; ask again in {seconds} s", retry_after=seconds
        )
    await withdraw(tx, account, "change-email")
    grant = granted(tx, "change-email", account, email)
    tx.emit(EmailChangeRequested, account)
    tx.emit(EmailVerificationRequested, account, grant_id=grant.id, expires_at=grant.expires_at, email=email)


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
