"""What people type: addresses, passwords, codes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, WithJsonSchema

from sav_contracts import canonical
from sav_contracts.messages import Secret, canonical_form
from sav_contracts.wrong_value import WrongValue

Locale = Literal["fr", "en"]

SHORTEST, LONGEST = 10, 128


class PasswordLength(WrongValue):
    code = "password_length"
    shortest: int = SHORTEST
    longest: int = LONGEST
    en = "a password has {shortest} to {longest} characters"
    fr = "un mot de passe compte de {shortest} à {longest} caractères"


def _chosen(password: SecretStr) -> SecretStr:
    canonical_form = canonical.password(password.get_secret_value())
    if not SHORTEST <= len(canonical_form) <= LONGEST:
        raise PasswordLength().error()
    return SecretStr(canonical_form)


def _code(typed: SecretStr) -> SecretStr:
    return SecretStr(canonical.code(typed.get_secret_value()))


# The same address means the same account, whatever its capitals and the spelling of its domain.
Email = Annotated[
    str,
    StringConstraints(max_length=254),
    canonical_form(canonical.email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
    Field(examples=["lea@example.com"]),
]
# A minimum length instead of character classes (NIST SP 800-63B, 3.1.1.2). The maximum keeps hashing cheap.
Password = Annotated[
    Secret,
    AfterValidator(_chosen),
    WithJsonSchema({"type": "string", "format": "password", "minLength": SHORTEST, "maxLength": LONGEST}),
]
# Compared only, without today's rules: the password may date from other rules. Letters in parts (NFD) make the text
# longer than its counted length.
KnownPassword = Annotated[Secret, Field(max_length=4 * LONGEST)]
# Six digits of an authenticator, or a recovery code.
Code = Annotated[Secret, Field(min_length=1, max_length=30), AfterValidator(_code)]
LinkToken = Annotated[Secret, Field(min_length=1, max_length=1000)]
# Stored as E.164 (ITU-T). Typed as people do; numbers outside France need their country prefix.
Phone = Annotated[
    str,
    StringConstraints(max_length=16),
    canonical_form(canonical.phone),
    WithJsonSchema({"type": "string", "maxLength": 40}),
    Field(examples=["+33 6 12 34 56 78", "06 12 34 56 78"]),
]
