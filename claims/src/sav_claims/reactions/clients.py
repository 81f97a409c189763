"""Reactions to accounts: the profiles of clients."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client
from sav_contracts import canonical
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.address import Address
from sav_contracts.auth.account import AccountView, ClientAdded, UserRegistered, UserUpdated
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
    """Messages follow the sign-in address when it changes; a different address in the profile stays."""
    account, previous = event.state, event.previous_email
    if previous is None or account.role is not Role.CLIENT:
        return "no other address of a client"
    client = await tx.load(Client, account.id, SYSTEM)
    if client.email != canonical.or_itself(canonical.email, previous):
        return "the profile has an address of its own"
    client.email = canonical.or_itself(canonical.email, account.email)
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
        phones=tuple(canonical.or_itself(canonical.phone, phone) for phone in phones),
        addresses=addresses,
    )
    tx.emit(tx.add(client), ClientCreated())
    return None
