"""The profiles of clients."""

from typing import Annotated, ClassVar

from pydantic import Field

from sav_contracts.address import Address, AddressGiven
from sav_contracts.auth.fields import Email, Locale, Phone
from sav_contracts.messages import (
    Changed,
    Command,
    Event,
    Line,
    Personal,
    PersonId,
    Prose,
    View,
)
from sav_contracts.visibility import Own, Visible, named_by_open_work

MOST_PHONES, MOST_ADDRESSES = 5, 10

Phones = Personal[Annotated[tuple[Phone, ...], Field(max_length=MOST_PHONES)]]
Addresses = Annotated[tuple[AddressGiven, ...], Field(max_length=MOST_ADDRESSES)]


class ClientForClient(View):
    """A client's profile as the client sees it.

    `email` is empty where none is known. Name and language are those of the account: a change of either is one of both.
    """

    visible: ClassVar[Visible] = Visible(client=Own("id"), technician=named_by_open_work("client_id"))

    client_id: PersonId
    name: Personal[str] = Field(examples=["Léa Bernard"])
    email: Personal[str] = Field(examples=["lea@example.com"])
    locale: Locale
    phones: Personal[tuple[str, ...]] = Field(default=(), examples=[["+33 6 12 34 56 78"]])
    addresses: tuple[Address, ...] = ()
    # How often name and language were changed, in the profile or in the account: the higher number is the newer one.
    name_edition: int = 0
    locale_edition: int = 0


class ClientView(ClientForClient):
    """A client's profile: contact data, owned by claims. The sign-in address belongs to the account."""

    # What managers write about the client, for staff.
    notes: Personal[str | None] = Field(default=None, examples=["Rappeler plutôt le soir."])

    def for_client(self) -> ClientForClient:
        return self.narrowed_to(ClientForClient)


class ChangeClient(Command[ClientView]):
    """Change the given fields of a client's profile; the lists of phones and addresses are replaced as a whole.

    Managers and admins also write `notes` for the staff (null removes them), and give an `email` to a client who has
    none: the invitation is sent there. A client changes their address in their account.
    """

    client_id: PersonId
    name: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    phones: Phones | None = Field(default=None, examples=[["+33 6 12 34 56 78"]])
    addresses: Addresses | None = None
    locale: Locale | None = None
    email: Personal[Email] | None = None
    notes: Personal[Prose] | None = Field(default=None, examples=["Rappeler plutôt le soir."])


class ClientCreated(Event[ClientView]):
    """A client profile was created, following the account."""


class ClientEmailGiven(Event[ClientView]):
    """A manager gave an address to a client who had none. Auth invites the client there, if nobody else has it."""

    email: Personal[str] = Field(examples=["lea@example.com"])
    by_id: PersonId


ClientChanged = Changed[ClientView]
