"""What admins do to other people's accounts, and managers to those of clients."""

from sav_auth.accounts import change, check_free, check_not_last
from sav_auth.app import auth
from sav_auth.grants import new_grant, revoke_grants
from sav_auth.inviting import invite
from sav_auth.model import Account
from sav_auth.sessions import end_all
from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import (
    ActivateUser,
    AssignRole,
    ChangeUser,
    DeactivateUser,
    EmailVerificationRequested,
    RoleAssigned,
    UserActivated,
    UserDeactivated,
    UserUpdated,
)


class StaysClient(Conflict):
    en = "A client account cannot become a staff account: invite the person with another address"
    fr = "Un client le reste : invitez cette personne dans l’équipe avec une autre adresse"


@auth.command(ChangeUser)
async def change_user(cmd: ChangeUser, tx: Tx, by: Actor) -> Account:
    """Change the given fields. A new address revokes the links sent to the old one, and is sent a link itself."""
    account = await tx.load(Account, cmd.account_id, by)
    before = account.email
    if cmd.email and cmd.email != before:
        await check_free(tx, cmd.email)
    if not change(account, cmd, but={"account_id"}):
        return account
    if account.email != before:
        account.email_verified = False
        await revoke_grants(tx, account)
    moved = account.email != before
    tx.emit(account, UserUpdated(previous_email=before if moved else None))
    if moved and account.status == "invited":
        await invite(tx, account)
    elif moved and account.status == "active":
        grant = new_grant(tx, "verify-email", account)
        tx.emit(account, EmailVerificationRequested(grant_id=grant.id, expires_at=grant.expires_at))
    return account


@auth.command(AssignRole)
async def assign_role(cmd: AssignRole, tx: Tx, by: Actor) -> Account:
    """Give a member of staff another role; tokens for the old one are refused from now on."""
    account = await tx.load(Account, cmd.account_id, by)
    if account.role is Role.CLIENT:
        raise StaysClient
    if account.role is cmd.role:
        return account
    await check_not_last(tx, account)
    previous, account.role = account.role, cmd.role
    tx.emit(account, RoleAssigned(role=cmd.role, previous=previous, revoked=(account.id,)))
    return account


@auth.command(DeactivateUser)
async def deactivate_user(cmd: DeactivateUser, tx: Tx, by: Actor) -> Account:
    """Deactivate an account: its sessions, tokens and links are refused immediately, everywhere."""
    account = await tx.load(Account, cmd.account_id, by)
    if by.role is not Role.MANAGER:  # managers deactivate only clients
        await check_not_last(tx, account)
    await deactivate_account(tx, account, by)
    return account


async def deactivate_account(tx: Tx, account: Account, by: Actor) -> None:
    """Deactivates it, ends its sessions and revokes its links."""
    account.deactivate(by)
    await revoke_grants(tx, account)
    await end_all(tx, account, "ended")
    tx.emit(account, UserDeactivated(revoked=(account.id,)))


@auth.command(ActivateUser)
async def activate_user(cmd: ActivateUser, tx: Tx, by: Actor) -> Account:
    """Activate a deactivated account again, with the password it had."""
    account = await tx.load(Account, cmd.account_id, by)
    account.activate(by)
    tx.emit(account, UserActivated())
    return account
