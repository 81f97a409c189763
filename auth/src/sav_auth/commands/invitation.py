"""Invitations, including the first admin's."""

from sav_auth.accounts import EmailTaken, active_admins, by_email, check_free
from sav_auth.app import auth
from sav_auth.grants import (
    CodeExpired,
    check_repeated,
    grant_and_account,
    grant_in_token,
    new_grant,
    revoke_grants,
)
from sav_auth.inviting import invite
from sav_auth.model import Account, Grant
from sav_auth.passwords import check_password, hashed, matches
from sav_chassis.errors import Conflict, WrongField, WrongFields
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
from sav_contracts.labels import label
from sav_contracts.sentences import Text


class NothingToAccept(Conflict):
    state: Text
    en = "The account is {state}: there is nothing to accept"
    fr = "Le compte est à l’état « {state} » : il n’y a pas d’invitation à accepter"


class NoAddressToInvite(Conflict):
    en = "The account has no address to send the invitation to: give it one"
    fr = "Le compte n’a pas d’adresse à laquelle envoyer l’invitation : indiquez-en une"


class HasAdmin(Conflict):
    en = "There is an admin already"
    fr = "Il y a déjà un administrateur"


class FirstAdminNeeds(WrongField):
    en = "the first admin needs this"
    fr = "le premier administrateur en a besoin"


@auth.command(InviteUser)
async def invite_user(cmd: InviteUser, tx: Tx, by: Actor) -> Account:
    """Make an account whose person chooses the password by a link; where it exists and waits, send a new link."""
    return (await _invited(tx, cmd, by))[0]


@auth.command(AddClient)
async def add_client(cmd: AddClient, tx: Tx, by: Actor) -> Account:
    """Make a client's account, and invite a client with an address; `EmailTaken` where another account has it."""
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
    tx.emit(account, ClientAdded(phones=cmd.phones, addresses=cmd.addresses))
    if cmd.email:
        await tx.flush()  # the grant names it
        await invite(tx, account)
    return account


@auth.command(InviteAgain)
async def invite_again(cmd: InviteAgain, tx: Tx, by: Actor) -> Account:
    """Send a new link in place of the old one; 409 where the account is not `invited` any more or has no address."""
    account = await tx.load(Account, cmd.account_id, by)
    if account.status != "invited":
        raise NothingToAccept(state=label(account.status))
    if not account.email:
        raise NoAddressToInvite
    await invite(tx, account)
    return account


@auth.command(AcceptInvitation)
async def accept_invitation(cmd: AcceptInvitation, tx: Tx, by: Actor) -> Accepted:
    """Set the password of an invited account; the link works once, but repeating the same request is no error."""
    if first := await grant_in_token(tx, "first-admin", cmd.token):
        return await _become_first_admin(cmd, first, tx)
    grant, account = await grant_and_account(tx, "invitation", cmd.token)
    check_password(tx.settings, cmd.password, account.email, account.name)
    if account.status == "invited" and grant.burn(tx.now):
        account.accept(await hashed(cmd.password), by)
        await revoke_grants(tx, account, "invitation")
        tx.emit(account, UserActivated())
    else:
        await check_repeated(tx, grant, account, cmd.password)
    return Accepted()


@auth.command(OfferFirstAdmin)
async def offer_first_admin(cmd: OfferFirstAdmin, tx: Tx, by: Actor) -> FirstAdmin:
    """Grant a code that makes the first admin, or invite them by mail; 409 where there is an admin."""
    if await active_admins(tx):
        raise HasAdmin
    await revoke_grants(tx, None, "first-admin")
    if cmd.email:
        name = cmd.email.partition("@")[0]
        _, grant = await _invited(tx, InviteUser(email=cmd.email, name=name, role=Role.ADMIN), by)
    else:
        grant = new_grant(tx, "first-admin", None)
    return FirstAdmin(grant_id=grant.id, expires_at=grant.expires_at, invited=cmd.email is not None)


async def _invited(tx: Tx, cmd: InviteUser, by: Actor) -> tuple[Account, Grant]:
    if known := await by_email(tx, cmd.email):
        account = await tx.load(Account, known.id, by)
        if (account.status, account.role) != ("invited", cmd.role):
            raise EmailTaken
    else:
        account = tx.add(Account(id=tx.new_id(), status="invited", **cmd.model_dump()))
        await tx.flush()  # the grant names it
    return account, await invite(tx, account)


async def _become_first_admin(cmd: AcceptInvitation, grant: Grant, tx: Tx) -> Accepted:
    if cmd.email is None or cmd.name is None:
        missing = [name for name in ("email", "name") if getattr(cmd, name) is None]
        raise WrongFields.each(FirstAdminNeeds(field=name) for name in missing)
    check_password(tx.settings, cmd.password, cmd.email, cmd.name)
    known = await by_email(tx, cmd.email)
    if known and grant.was_just_used(tx.now) and await matches(known.password_hash, cmd.password):
        return Accepted()
    if await active_admins(tx) or not grant.burn(tx.now):
        raise CodeExpired
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
    tx.emit(account, UserActivated())
    return Accepted()
