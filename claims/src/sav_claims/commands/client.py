"""The profiles of clients."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis import shared_fields
from sav_chassis.errors import Conflict, Empty, NoSuch, NothingToChange, NotYet, WrongField, WrongFields
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.claims.client import ChangeClient, ClientChanged, ClientEmailGiven
from sav_contracts.labels import label


class NotesForStaff(WrongField):
    field: str = "notes"
    en = "only managers write notes about a client"
    fr = "seuls les responsables SAV rédigent des notes sur un client"


class OwnAddress(WrongField):
    field: str = "email"
    en = "change your address in your account (PATCH /api/me): a link is sent there to confirm it"
    fr = "modifiez votre adresse dans votre compte (PATCH /api/me) : un lien de confirmation y est envoyé"


class HasAddress(Conflict):
    """Only a client without an address is given one; another one has to be confirmed by the client."""

    code = "has_address"
    en = "This client has an address already: they change it in their account, where they confirm the new one"
    fr = "Ce client a déjà une adresse : c’est à lui de la modifier dans son compte, où il confirme la nouvelle"


class AddressTaken(Conflict):
    """Somebody else has this address."""

    code = "address_taken"
    en = "Somebody else signs in or is written to at this address: give this client another one"
    fr = "Cette adresse est déjà celle d’une autre personne : indiquez-en une autre pour ce client"


@claims.command(ChangeClient)
async def change_client(cmd: ChangeClient, tx: Tx, by: Actor) -> Client:
    """Change the given fields of a profile. A client's own words about them and their address stay out of it."""
    given = {name: getattr(cmd, name) for name in cmd.model_fields_set - {"client_id"}}
    _check_given(given, by)
    client = await _profile(cmd.client_id, tx, by)
    if "phones" in given:
        # Typed in two ways, it is one number.
        given["phones"] = tuple(dict.fromkeys(given["phones"]))
    email = given.pop("email", client.email)
    if shared_fields.change(client, given):
        tx.emit(client, ClientChanged())
    if email != client.email:
        await _give_address(client, email, tx, by)
    return client


async def _profile(id: UUID, tx: Tx, by: Actor) -> Client:
    """The profile; it may follow its account in a moment."""
    try:
        return await tx.load(Client, id, by)
    except NotYet as late:
        raise NotYet(late.kind, id, NoSuch(kind=label(late.kind), id=id)) from None


def _check_given(given: dict[str, object], by: Actor) -> None:
    if not given:
        raise NothingToChange
    wrong: list[WrongField] = [
        Empty(field=name) for name, value in sorted(given.items()) if value is None and name != "notes"
    ]
    if by.role is Role.CLIENT:
        wrong += [refusal() for refusal in (NotesForStaff, OwnAddress) if refusal().field in given]
    if wrong:
        raise WrongFields.each(wrong)


async def _give_address(client: Client, email: str, tx: Tx, by: Actor) -> None:
    """The first address of a client. Auth has the last word: it takes it back where somebody was faster there."""
    if client.email:
        raise HasAddress
    await tx.lock(f"address {email}")
    other = select(Client.id).where(Client.email == email, Client.id != client.id).limit(1)
    accounts = await tx.copies(AccountView).where(email=email).all()
    if await tx.session.scalar(other) or any(account.id != client.id for account in accounts):
        raise AddressTaken
    client.email = email
    tx.emit(client, ClientEmailGiven(email=email, by_id=by.id))
