"""The profiles of clients."""

from typing import ClassVar

from pydantic import Field

from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.messages import (
    Changed,
    Event,
    Personal,
    PersonId,
    View,
)
from sav_contracts.visibility import Own, Visible, named_by_open_work


class ClientView(View):
    """A client's profile: contact data, owned by claims. The sign-in address belongs to the account.

    `email` is empty where none is known.
    """

    visible: ClassVar[Visible] = Visible(client=Own("id"), technician=named_by_open_work("client_id"))

    client_id: PersonId
    name: Personal[str] = Field(examples=["Léa Bernard"])
    email: Personal[str] = Field(examples=["lea@example.com"])
    locale: Locale
    phones: Personal[tuple[str, ...]] = Field(default=(), examples=[["+33 6 12 34 56 78"]])
    addresses: tuple[Address, ...] = ()


class ClientCreated(Event[ClientView]):
    """A client profile was created, following the account."""


ClientChanged = Changed[ClientView]
