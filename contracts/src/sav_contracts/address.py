"""Postal addresses of people and products."""

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from sav_contracts import canonical
from sav_contracts.country import Country
from sav_contracts.messages import Line, Message, Personal, RecordedLine, canonical_form
from sav_contracts.wrong_value import WrongValue

Postcode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=12),
    canonical_form(canonical.postcode),
    Field(examples=["69003"]),
]


# What the five digits of a postcode begin with: in France a department, a territory or Monaco. Saint-Barthélemy (97133)
# and Saint-Martin (97150) are no part of Guadeloupe.
_BEGINNINGS = {
    "FR": r"0[1-9]|[1-8][0-9]|9[0-5]|97[1-8]|98[046-9]",
    **{"MC": "980", "GP": "971(?!33|50)", "MQ": "972", "GF": "973", "RE": "974", "PM": "975", "YT": "976"},
    **{"BL": "97133|977", "MF": "97150|978", "TF": "984", "WF": "986", "PF": "987", "NC": "988"},
}
_OTHER = re.compile(r"[0-9A-Z]+([ -][0-9A-Z]+)*")


def postcode_in(country: str, postcode: str) -> str | None:
    """The postcode as it is written in a country (ISO 3166); None where it is none."""
    code = canonical.postcode(postcode)
    if beginnings := _BEGINNINGS.get(country):
        return code if re.fullmatch(f"(?=[0-9]{{5}}$)({beginnings})[0-9]*", code) else None
    if country == "TN":
        return code if re.fullmatch(r"[1-9][0-9]{3}", code) else None
    return code if _OTHER.fullmatch(code) else None


class NoPostcodeThere(WrongValue):
    code = "no_postcode_there"
    field = "postcode"
    country: str
    en = "it is no postcode of this country ({country}), such as 69003 in France or 1000 in Tunisia"
    fr = "ce n’est pas un code postal de ce pays ({country}), par exemple 69003 en France ou 1000 en Tunisie"


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
    country: Country = "FR"

    @model_validator(mode="after")
    def _has_a_postcode_of_its_country(self) -> Self:
        if postcode_in(self.country, self.postcode) != self.postcode:
            raise NoPostcodeThere(country=self.country).error()
        return self
