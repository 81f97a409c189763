"""The numbers that identify a business on an invoice."""

from typing import Annotated

from pydantic import Field, StringConstraints

from sav_contracts import canonical
from sav_contracts.messages import canonical_form
from sav_contracts.wrong_value import WrongValue

# Without those that look like 1, 0 and 4.
TUNISIAN_KEYS = "ABCDEFGHJKLMNPQRSTVWXYZ"


class NoSiren(WrongValue):
    code = "no_siren"
    en = "the nine digits of a SIREN, such as 732 829 320"
    fr = "les neuf chiffres d’un SIREN, par exemple 732 829 320"


class NoTaxNumber(WrongValue):
    code = "no_tax_number"
    en = "a VAT number of the European Union, such as FR40303265045, or a Tunisian tax number, such as 1182431/M"
    fr = "un numéro de TVA de l’Union européenne, par exemple FR40303265045, ou un matricule fiscal tunisien, par exemple 1182431/M"


def siren(text: str) -> str:
    """The nine digits, with their check digit (`732 829 320` is `732829320`)."""
    # Imported only where a number is read, like the one of an article.
    from stdnum.exceptions import InvalidChecksum, ValidationError
    from stdnum.fr import siren as numbers

    try:
        found = str(numbers.validate(canonical.serial(text)))
    except InvalidChecksum:
        raise canonical.WrongCheckDigit().error() from None
    except ValidationError:
        raise NoSiren().error() from None
    if not found.strip("0"):
        # Its check digit is right, and no firm has it.
        raise NoSiren().error()
    return found


def tax_number(text: str) -> str:
    """A VAT number with its country (`FR40303265045`), or a Tunisian matricule fiscal (`1182431M`, `1182431MAM000`)."""
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError
    from stdnum.tn import mf

    said = canonical.serial(text)
    for numbers in (vat, mf):
        try:
            found = str(numbers.validate(said))
        except ValidationError:
            continue
        if found.endswith("0" * 9):
            # As no SIREN, no VAT number has only zeros.
            break
        if numbers is mf and found[7] != tunisian_key(found):
            raise canonical.WrongCheckDigit().error()
        return found
    raise NoTaxNumber().error()


def tunisian_key(number: str) -> str:
    """The letter that follows the seven digits of a Tunisian matricule fiscal; the library checks only that there is one."""
    weighed = sum(int(digit) * weight for digit, weight in zip(number, range(7, 0, -1), strict=False))
    return TUNISIAN_KEYS[weighed % 23]


Siren = Annotated[str, StringConstraints(max_length=20), canonical_form(siren), Field(examples=["732829320"])]
TaxNumber = Annotated[
    str, StringConstraints(max_length=40), canonical_form(tax_number), Field(examples=["FR44732829320"])
]
