"""Signing up, and confirming an address."""

from uuid import UUID

from sav_auth.accounts import by_email, check_free
from sav_auth.app import auth
from sav_auth.grants import LinkExpired, granted, had_enough, presented, shown, withdraw
from sav_auth.inviting import invite
from sav_auth.model import Account, Wish
from sav_auth.passwords import check_password, hashed
from sav_auth.timers import answer_wish
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.account import (
    Accepted,
    EmailVerified,
    RegisterClient,
    RequestVerification,
    SignUpRepeated,
    UserRegistered,
    UserUpdated,
    VerifyEmail,
)


@auth.command(RegisterClient)
async def register_client(cmd: RegisterClient, tx: Tx, by: Actor) -> Accepted:
    """Make a client account. A known address gets the same answer, after the same work."""
    check_password(cmd.password, cmd.email, cmd.name)
    password_hash = await tx.outside(hashed(cmd.password))
    known = await by_email(tx, cmd.email)
    if known:
        await _tell_the_owner(tx, known.id)
        return Accepted()
    account = tx.add(
        Account(
            id=tx.new_id(),
            email=cmd.email,
            name=cmd.name,
            role=Role.CLIENT,
            locale=cmd.locale,
            status="active",
            password_hash=password_hash,
        )
    )
    await tx.flush()  # the grant names it
    grant = granted(tx, "verify-email", account)
    tx.emit(UserRegistered, account, grant_id=grant.id, expires_at=grant.expires_at)
    return Accepted()


async def _tell_the_owner(tx: Tx, id: UUID) -> None:
    """That somebody used their address; it may have been they, who forgot that there is an account."""
    account = await tx.load(Account, id, SYSTEM)
    invited = account.status == "invited"
    if await had_enough(tx, account, "invitation" if invited else "password-reset"):
        return
    if invited:
        await invite(tx, account)
        return
    grant = granted(tx, "password-reset", account)
    tx.emit(SignUpRepeated, account, grant_id=grant.id, expires_at=grant.expires_at)


@auth.command(RequestVerification)
async def request_verification(cmd: RequestVerification, tx: Tx, by: Actor) -> Accepted:
    """Have the link sent again, if there is something to confirm; that is looked into after the answer."""
    wish = tx.add(Wish(id=tx.new_id(), purpose="verify-email", email=cmd.email))
    tx.remind(answer_wish, wish.id, tx.now)
    return Accepted()


@auth.command(VerifyEmail)
async def verify_email(cmd: VerifyEmail, tx: Tx, by: Actor) -> Accepted:
    """Note that the address is the person's, or now theirs; the link works once, repeating that is no error."""
    if await shown(tx, "change-email", cmd.token):
        return await _change_address(cmd, tx)
    grant, account = await presented(tx, "verify-email", cmd.token)
    if grant.burn(tx.now):
        account.email_verified = True
        await withdraw(tx, account, "verify-email")
        tx.emit(EmailVerified, account)
    elif not account.email_verified:
        raise LinkExpired("this link was used or has expired; ask for a new one")
    return Accepted()


async def _change_address(cmd: VerifyEmail, tx: Tx) -> Accepted:
    grant, account = await presented(tx, "change-email", cmd.token)
    if grant.email and account.status == "active" and grant.burn(tx.now):
        await check_free(tx, grant.email)
        previous, account.email = account.email, grant.email
        account.email_verified = True
        # Those that went to the old one too.
        await withdraw(tx, account)
        tx.emit(UserUpdated, account, previous_email=previous)
    elif account.email != grant.email:
        raise LinkExpired("this link was used or has expired; ask for a new one")
    return Accepted()
