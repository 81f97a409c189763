"""What admins, and managers for clients, do about other people's accounts."""

from sav_auth.accounts import change, check_free, check_not_last
from sav_auth.app import auth
from sav_auth.grants import granted, withdraw
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


@auth.command(ChangeUser)
async def change_user(cmd: ChangeUser, tx: Tx, by: Actor) -> Account:
    """Change what is given. Links that went to an old address are worth nothing; one goes to the new address."""
    account = await tx.load(Account, cmd.account_id, by)
    before = account.email
    if cmd.email and cmd.email != before:
        await check_free(tx, cmd.email)
    if not change(account, cmd, but={"account_id"}):
        return account
    if account.email != before:
        account.email_verified = False
        await withdraw(tx, account)
    moved = account.email != before
    tx.emit(UserUpdated, account, previous_email=before if moved else None)
    if moved and account.status == "invited":
        await invite(tx, account)
    elif moved and account.status == "active":
        grant = granted(tx, "verify-email", account)
        tx.emit(EmailVerificationRequested, account, grant_id=grant.id, expires_at=grant.expires_at)
    return account


@auth.command(AssignRole)
async def assign_role(cmd: AssignRole, tx: Tx, by: Actor) -> Account:
    """Give somebody of the staff another role; tokens of the old one are worth nothing from now on."""
    account = await tx.load(Account, cmd.account_id, by)
    if account.role is Role.CLIENT:
        raise Conflict("a client stays one: invite the person to the staff with another address")
    if account.role is cmd.role:
        return account
    await check_not_last(tx, account)
    previous, account.role = account.role, cmd.role
    tx.emit(RoleAssigned, account, role=cmd.role, previous=previous, revoked=(account.id,))
    return account


@auth.command(DeactivateUser)
async def deactivate_user(cmd: DeactivateUser, tx: Tx, by: Actor) -> Account:
    """Keep somebody out, at once and everywhere."""
    account = await tx.load(Account, cmd.account_id, by)
    if by.role is not Role.MANAGER:  # who gets at clients only
        await check_not_last(tx, account)
    account.deactivate(by)
    await withdraw(tx, account)
    await end_all(tx, account, "ended")
    tx.emit(UserDeactivated, account, revoked=(account.id,))
    return account


@auth.command(ActivateUser)
async def activate_user(cmd: ActivateUser, tx: Tx, by: Actor) -> Account:
    """Let somebody in again, with the password they had."""
    account = await tx.load(Account, cmd.account_id, by)
    account.activate(by)
    tx.emit(UserActivated, account)
    return account
