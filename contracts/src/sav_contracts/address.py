"""Postal addresses of people and products."""

from typing import Annotated

from pydantic import Field, StringConstraints

from sav_contracts import canonical
from sav_contracts.messages import Line, Message, Personal, RecordedLine, canonical_form

Postcode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=12),
    canonical_form(canonical.postcode),
    Field(examples=["69003"]),
]


class Address(Message):
    """A postal address as recorded."""

    address: Personal[RecordedLine] = Field(examples=["3 rue des Lilas"])
    postcode: Annotated[RecordedLine, Field(max_length=12)] = Field(examples=["69003"])
    city: RecordedLine = Field(examples=["Lyon"])
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "FR"

    @property
    def on_one_line(self) -> str:
        """As it stands on invoices: `3 rue des Lilas, 69003 Lyon`."""
        return f"{self.address}, {self.postcode} {self.city}"


class AddressGiven(Address):
    """A postal address as a person enters it."""

    address: Personal[Line] = Field(examples=["3 rue des Lilas"])
    postcode: Postcode
    city: Line = Field(examples=["Lyon"])
