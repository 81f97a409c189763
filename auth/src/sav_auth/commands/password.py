"""Changing and resetting passwords."""

from sav_auth.app import auth
from sav_auth.attempts import check_throttle
from sav_auth.grants import check_repeated, grant_and_account, revoke_grants
from sav_auth.model import Account, LinkRequest, Purpose
from sav_auth.passwords import check_password, hashed
from sav_auth.proof import check_password_again
from sav_auth.sessions import end_all
from sav_auth.timers import answer_wish
from sav_chassis.errors import RecordedRefusal
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import Accepted
from sav_contracts.auth.session import ChangePassword, PasswordChanged, RequestPasswordReset, ResetPassword

# Links that somebody who knew the old password may have requested: a new password revokes them.
OVERTAKEN: tuple[Purpose, ...] = ("password-reset", "change-email")


@auth.command(RequestPasswordReset)
async def request_password_reset(cmd: RequestPasswordReset, tx: Tx, by: Actor) -> Accepted:
    """Request a link; whether there is such an account is checked after the reply, which therefore cannot reveal it."""
    wish = tx.add(LinkRequest(id=tx.new_id(), purpose="password-reset", email=cmd.email))
    tx.remind(answer_wish, wish.id, tx.now)
    return Accepted()


@auth.command(ResetPassword)
async def reset_password(cmd: ResetPassword, tx: Tx, by: Actor) -> Accepted:
    """Set a new password and end every session; the link works once, but repeating the same request is no error."""
    grant, account = await grant_and_account(tx, "password-reset", cmd.token)
    check_password(tx.settings, cmd.password, account.email, account.name)
    if account.status == "active" and grant.burn(tx.now):
        account.password_hash = await hashed(cmd.password)
        account.email_verified = True
        await revoke_grants(tx, account, *OVERTAKEN)
        ended = await end_all(tx, account, "ended")
        tx.emit(account, PasswordChanged(by_link=True, revoked=ended))
    else:
        await check_repeated(tx, grant, account, cmd.password)
    return Accepted()


@auth.command(ChangePassword)
async def change_password(cmd: ChangePassword, tx: Tx, by: Actor) -> Accepted | RecordedRefusal:
    """Set a new password; the calling session goes on, the others end."""
    await check_throttle(tx, by.id)
    account = await tx.load(Account, by.id, by)
    check_password(tx.settings, cmd.password, account.email, account.name)
    if wrong := await check_password_again(tx, account, "current_password", cmd.current_password):
        return wrong
    account.password_hash = await hashed(cmd.password)
    await revoke_grants(tx, account, *OVERTAKEN)
    ended = await end_all(tx, account, "ended", but=by.session)
    tx.emit(account, PasswordChanged(revoked=ended))
    return Accepted()
