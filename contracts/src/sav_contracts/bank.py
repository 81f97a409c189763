"""Bank accounts, checked by their check digits."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sav_contracts.messages import Message


def _iban(text: str) -> str:
    # Imported only where one is read, as in `canonical`.
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    try:
        return str(iban.validate(text))
    except ValidationError:
        raise ValueError("this is no IBAN: its check digits do not fit") from None


def _bic(text: str) -> str:
    from stdnum import bic
    from stdnum.exceptions import ValidationError

    try:
        return str(bic.validate(text))
    except ValidationError:
        raise ValueError("this is no BIC: eight or eleven letters and digits") from None


# An account (ISO 13616).
Iban = Annotated[str, AfterValidator(_iban), Field(examples=["FR7630006000011234567890189"])]
# A bank (ISO 9362).
Bic = Annotated[str, AfterValidator(_bic), Field(examples=["AGRIFRPPXXX"])]


class Bank(Message):
    """The account to which clients transfer what they owe; `holder` is written only where it is not the firm's name."""

    iban: Iban
    bic: Bic | None = None
    holder: Annotated[str, Field(max_length=70)] | None = Field(default=None, examples=["Confort SAV"])
