"""Reactions to the profiles of clients: one name, and an address that was given later."""

from sav_auth.accounts import by_email
from sav_auth.app import auth
from sav_auth.grants import revoke_grants
from sav_auth.inviting import invite
from sav_auth.model import Account
from sav_chassis import shared_fields
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import ClientEmailRefused, UserUpdated
from sav_contracts.claims.client import ClientChanged, ClientEmailGiven


@auth.on(ClientChanged, since="2026-11-29")
async def follow_the_profile(event: ClientChanged, tx: Tx) -> str | None:
    """A name or language that was changed in the profile is the account's too."""
    account = await tx.load(Account, event.state.id, SYSTEM)
    if not shared_fields.follow(account, event.state, yields=False):
        return "nothing newer"
    tx.emit(account, UserUpdated())
    return None


@auth.on(ClientEmailGiven)
async def invite_where_they_can_be_reached(event: ClientEmailGiven, tx: Tx) -> str | None:
    """A client without an address gets the one that a manager gave, and an invitation there."""
    account = await tx.load(Account, event.state.id, SYSTEM)
    if account.email == event.email:
        return "it is the account's already"
    if account.email or account.status == "closed" or await by_email(tx, event.email):
        tx.emit(account, ClientEmailRefused(email=event.email, by_id=event.by_id))
        return None
    account.email = event.email
    account.email_verified = False
    await revoke_grants(tx, account)
    tx.emit(account, UserUpdated(previous_email=""))
    if account.status == "invited":
        await invite(tx, account)
    return None
