"""Signing up, and confirming an address."""

from uuid import UUID

from sav_auth.accounts import by_email, check_free
from sav_auth.app import auth
from sav_auth.grants import (
    LinkUsed,
    grant_and_account,
    grant_in_token,
    has_too_many_links,
    new_grant,
    revoke_grants,
)
from sav_auth.inviting import invite
from sav_auth.model import Account, LinkRequest
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
    """Make a client account. A known address gets the same reply, after the same work: nobody can probe for it."""
    check_password(tx.settings, cmd.password, cmd.email, cmd.name)
    password_hash = await tx.without_transaction(hashed(cmd.password))
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
    grant = new_grant(tx, "verify-email", account)
    tx.emit(account, UserRegistered(grant_id=grant.id, expires_at=grant.expires_at))
    return Accepted()


async def _tell_the_owner(tx: Tx, id: UUID) -> None:
    """Tells the owner that somebody signed up with their address: perhaps themselves, having forgotten the account."""
    account = await tx.load(Account, id, SYSTEM)
    invited = account.status == "invited"
    if await has_too_many_links(tx, account, "invitation" if invited else "password-reset"):
        return
    if invited:
        await invite(tx, account)
        return
    grant = new_grant(tx, "password-reset", account)
    tx.emit(account, SignUpRepeated(grant_id=grant.id, expires_at=grant.expires_at))


@auth.command(RequestVerification)
async def request_verification(cmd: RequestVerification, tx: Tx, by: Actor) -> Accepted:
    """Request the link again; whether there is anything to confirm is checked after the reply."""
    wish = tx.add(LinkRequest(id=tx.new_id(), purpose="verify-email", email=cmd.email))
    tx.remind(answer_wish, wish.id, tx.now)
    return Accepted()


@auth.command(VerifyEmail)
async def verify_email(cmd: VerifyEmail, tx: Tx, by: Actor) -> Accepted:
    """Confirm the account's address, or the new one that becomes it; the link works once, repeating is no error."""
    if await grant_in_token(tx, "change-email", cmd.token):
        return await _change_address(cmd, tx)
    grant, account = await grant_and_account(tx, "verify-email", cmd.token)
    if grant.burn(tx.now):
        account.email_verified = True
        await revoke_grants(tx, account, "verify-email")
        tx.emit(account, EmailVerified())
    elif not account.email_verified:
        raise LinkUsed
    return Accepted()


async def _change_address(cmd: VerifyEmail, tx: Tx) -> Accepted:
    grant, account = await grant_and_account(tx, "change-email", cmd.token)
    if grant.email and account.status == "active" and grant.burn(tx.now):
        await check_free(tx, grant.email)
        previous, account.email = account.email, grant.email
        account.email_verified = True
        # All links, also those sent to the old address.
        await revoke_grants(tx, account)
        tx.emit(account, UserUpdated(previous_email=previous))
    elif account.email != grant.email:
        raise LinkUsed
    return Accepted()
