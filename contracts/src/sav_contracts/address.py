"""Where people live and products stand."""

from typing import Annotated

from pydantic import Field

from sav_contracts.messages import Line, Message, Personal


class Address(Message):
    """A postal address."""

    address: Personal[Line]
    postcode: Annotated[Line, Field(max_length=12)]
    city: Line
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "FR"
