"""Reactions to accounts: the profiles of clients."""

from sav_chassis import shared_fields
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client
from sav_contracts import canonical
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.address import Address
from sav_contracts.auth.account import (
    AccountChanged,
    AccountView,
    ClientAdded,
    ClientEmailRefused,
    UserRegistered,
    UserUpdated,
)
from sav_contracts.claims.client import ClientChanged, ClientCreated


@claims.on(UserRegistered)
async def create_profile(event: UserRegistered, tx: Tx) -> str | None:
    """A client account gets a client profile with the same id."""
    if event.state.role is not Role.CLIENT:
        return "not a client"
    return await _create_profile(tx, event.state, (), ())


@claims.on(ClientAdded)
async def create_profile_with_contacts(event: ClientAdded, tx: Tx) -> str | None:
    """The same for a client whom staff added, with the phones and addresses they gave."""
    return await _create_profile(tx, event.state, event.phones, event.addresses)


@claims.on(UserUpdated)
async def follow_the_address(event: UserUpdated, tx: Tx) -> str | None:
    """Name and language are those of the account; messages follow a changed sign-in address, unless there is another."""
    account, previous = event.state, event.previous_email
    if account.role is not Role.CLIENT:
        return "not a client"
    client = await tx.load(Client, account.id, SYSTEM)
    followed = shared_fields.follow(client, account, yields=True)
    moved = previous is not None and client.email == canonical.or_itself(canonical.email, previous)
    if moved:
        client.email = canonical.or_itself(canonical.email, account.email)
    if followed or moved:
        tx.emit(client, ClientChanged())
        return None
    return "nothing newer" if previous is None else "the profile has an address of its own"


@claims.on(AccountChanged, since="2026-11-29")
async def follow_the_account(event: AccountChanged, tx: Tx) -> str | None:
    """The same where an account is told anew."""
    if event.state.role is not Role.CLIENT:
        return "not a client"
    client = await tx.load(Client, event.state.id, SYSTEM)
    if not shared_fields.follow(client, event.state, yields=True):
        return "nothing newer"
    tx.emit(client, ClientChanged())
    return None


@claims.on(ClientEmailRefused)
async def take_the_address_back(event: ClientEmailRefused, tx: Tx) -> str | None:
    """The address that a manager gave is another person's, or the account has got another one meanwhile."""
    client = await tx.load(Client, event.state.id, SYSTEM)
    if client.email != event.email:
        return "the profile has another address by now"
    client.email = event.state.email
    tx.emit(client, ClientChanged())
    return None


async def _create_profile(
    tx: Tx, account: AccountView, phones: tuple[str, ...], addresses: tuple[Address, ...]
) -> str | None:
    if await tx.exists(Client, account.id):
        return "there is a profile already"
    # The event may be from before these had a canonical form.
    client = Client(
        id=account.id,
        name=account.name,
        email=canonical.or_itself(canonical.email, account.email),
        locale=account.locale,
        name_edition=account.name_edition,
        locale_edition=account.locale_edition,
        phones=tuple(canonical.or_itself(canonical.phone, phone) for phone in phones),
        addresses=addresses,
    )
    tx.emit(tx.add(client), ClientCreated())
    return None
