"""Invitations, the first admin's too."""

from sav_auth.accounts import EmailTaken, active_admins, by_email, check_free
from sav_auth.app import auth
from sav_auth.grants import LinkExpired, check_repeated, granted, presented, shown, withdraw
from sav_auth.inviting import invite
from sav_auth.model import Account, Grant
from sav_auth.passwords import check_password, hashed, matches
from sav_chassis.errors import Conflict, FieldError, Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import (
    Accepted,
    AcceptInvitation,
    AddClient,
    ClientAdded,
    FirstAdmin,
    InviteAgain,
    InviteUser,
    OfferFirstAdmin,
    UserActivated,
)


@auth.command(InviteUser)
async def invite_user(cmd: InviteUser, tx: Tx, by: Actor) -> Account:
    """Make an account that waits for its person to choose a password; or send who has not done so a new link."""
    return (await _invited(tx, cmd, by))[0]


@auth.command(AddClient)
async def add_client(cmd: AddClient, tx: Tx, by: Actor) -> Account:
    """Make a client's account, and invite who has an address; `EmailTaken` where somebody else has it."""
    if cmd.email:
        await check_free(tx, cmd.email)
    account = tx.add(
        Account(
            id=tx.new_id(),
            email=cmd.email or "",
            name=cmd.name,
            phone=next(iter(cmd.phones), None),
            role=Role.CLIENT,
            locale=cmd.locale,
            status="invited",
        )
    )
    tx.emit(ClientAdded, account, phones=cmd.phones, addresses=cmd.addresses)
    if cmd.email:
        await tx.flush()  # the grant names it
        await invite(tx, account)
    return account


@auth.command(InviteAgain)
async def invite_again(cmd: InviteAgain, tx: Tx, by: Actor) -> Account:
    """Send a new link in place of the old one; 409 where the person has come already."""
    account = await tx.load(Account, cmd.account_id, by)
    if account.status != "invited":
        raise Conflict(f"the account is {account.status}: there is nothing to accept")
    if not account.email:
        raise Conflict("the account has no address to send the invitation to: give it one")
    await invite(tx, account)
    return account


@auth.command(AcceptInvitation)
async def accept_invitation(cmd: AcceptInvitation, tx: Tx, by: Actor) -> Accepted:
    """Set the password of an invited account; its link works once, repeating that is no error."""
    if first := await shown(tx, "first-admin", cmd.token):
        return await _become_first_admin(cmd, first, tx)
    grant, account = await presented(tx, "invitation", cmd.token)
    check_password(cmd.password, account.email, account.name)
    if account.status == "invited" and grant.burn(tx.now):
        account.accept(await hashed(cmd.password), by)
        await withdraw(tx, account, "invitation")
        tx.emit(UserActivated, account)
    else:
        await check_repeated(tx, grant, account, cmd.password)
    return Accepted()


@auth.command(OfferFirstAdmin)
async def offer_first_admin(cmd: OfferFirstAdmin, tx: Tx, by: Actor) -> FirstAdmin:
    """Grant the way in, or invite to it by mail; 409 where there is an admin."""
    if await active_admins(tx):
        raise Conflict("there is an admin already")
    await withdraw(tx, None, "first-admin")
    if cmd.email:
        name = cmd.email.partition("@")[0]
        _, grant = await _invited(tx, InviteUser(email=cmd.email, name=name, role=Role.ADMIN), by)
    else:
        grant = granted(tx, "first-admin", None)
    return FirstAdmin(grant_id=grant.id, expires_at=grant.expires_at, invited=cmd.email is not None)


async def _invited(tx: Tx, cmd: InviteUser, by: Actor) -> tuple[Account, Grant]:
    if known := await by_email(tx, cmd.email):
        account = await tx.load(Account, known.id, by)
        if (account.status, account.role) != ("invited", cmd.role):
            raise EmailTaken("there is an account with this address already")
    else:
        account = tx.add(Account(id=tx.new_id(), status="invited", **cmd.model_dump()))
        await tx.flush()  # the grant names it
    return account, await invite(tx, account)


async def _become_first_admin(cmd: AcceptInvitation, grant: Grant, tx: Tx) -> Accepted:
    if cmd.email is None or cmd.name is None:
        missing = [name for name in ("email", "name") if getattr(cmd, name) is None]
        raise Invalid.fields([FieldError(field=name, message="the first admin says it") for name in missing])
    check_password(cmd.password, cmd.email, cmd.name)
    known = await by_email(tx, cmd.email)
    if known and grant.was_just_used(tx.now) and await matches(known.password_hash, cmd.password):
        return Accepted()
    if await active_admins(tx) or not grant.burn(tx.now):
        raise LinkExpired("this code was used or has expired")
    await check_free(tx, cmd.email)
    account = tx.add(
        Account(
            id=tx.new_id(),
            email=cmd.email,
            name=cmd.name,
            role=Role.ADMIN,
            locale="fr",
            status="active",
            password_hash=await hashed(cmd.password),
        )
    )
    tx.emit(UserActivated, account)
    return Accepted()
