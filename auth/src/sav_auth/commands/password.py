"""Passwords: changed, forgotten, chosen anew."""

from sav_auth.app import auth
from sav_auth.attempts import check_patience
from sav_auth.grants import check_repeated, presented, withdraw
from sav_auth.model import Account, Purpose, Wish
from sav_auth.passwords import check_password, hashed
from sav_auth.proof import prove
from sav_auth.sessions import end_all
from sav_auth.timers import answer_wish
from sav_chassis.errors import Refused
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import Accepted
from sav_contracts.auth.session import ChangePassword, PasswordChanged, RequestPasswordReset, ResetPassword

# What somebody who knew the old password may have asked for.
OVERTAKEN: tuple[Purpose, ...] = ("password-reset", "change-email")


@auth.command(RequestPasswordReset)
async def request_password_reset(cmd: RequestPasswordReset, tx: Tx, by: Actor) -> Accepted:
    """Have a link sent, if there is such an account; that is looked into after the answer."""
    wish = tx.add(Wish(id=tx.new_id(), purpose="password-reset", email=cmd.email))
    tx.remind(answer_wish, wish.id, tx.now)
    return Accepted()


@auth.command(ResetPassword)
async def reset_password(cmd: ResetPassword, tx: Tx, by: Actor) -> Accepted:
    """Set a new password and end every session; the link works once, repeating that is no error."""
    grant, account = await presented(tx, "password-reset", cmd.token)
    check_password(cmd.password, account.email, account.name)
    if account.status == "active" and grant.burn(tx.now):
        account.password_hash = await hashed(cmd.password)
        account.email_verified = True
        await withdraw(tx, account, *OVERTAKEN)
        ended = await end_all(tx, account, "ended")
        tx.emit(PasswordChanged, account, by_link=True, revoked=ended)
    else:
        await check_repeated(tx, grant, account, cmd.password)
    return Accepted()


@auth.command(ChangePassword)
async def change_password(cmd: ChangePassword, tx: Tx, by: Actor) -> Accepted | Refused:
    """Set a new password; the session that asks goes on, the others end."""
    await check_patience(tx, by.id)
    account = await tx.load(Account, by.id, by)
    check_password(cmd.password, account.email, account.name)
    if wrong := await prove(tx, account, "current_password", cmd.current_password):
        return wrong
    account.password_hash = await hashed(cmd.password)
    await withdraw(tx, account, *OVERTAKEN)
    ended = await end_all(tx, account, "ended", but=by.session)
    tx.emit(PasswordChanged, account, revoked=ended)
    return Accepted()
