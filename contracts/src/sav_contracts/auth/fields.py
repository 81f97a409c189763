"""What people type: addresses, passwords, codes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, EmailStr, Field, SecretStr, StringConstraints, WithJsonSchema

from sav_contracts.messages import Secret

Locale = Literal["fr", "en"]

SHORTEST, LONGEST = 10, 128


def _long_enough(password: SecretStr) -> SecretStr:
    if not SHORTEST <= len(password.get_secret_value()) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters")
    return password


# An address is the same account however it is capitalised.
Email = Annotated[EmailStr, AfterValidator(str.lower)]
# Length, not character classes (NIST SP 800-63B, 3.1.1.2); the upper bound keeps hashing cheap.
Password = Annotated[
    Secret,
    AfterValidator(_long_enough),
    WithJsonSchema({"type": "string", "format": "password", "minLength": SHORTEST, "maxLength": LONGEST}),
]
# What is compared only: it may be of a time when other passwords were taken.
KnownPassword = Annotated[Secret, Field(max_length=LONGEST)]
# Six digits of an authenticator, or a recovery code.
Code = Annotated[Secret, Field(min_length=1, max_length=30)]
LinkToken = Annotated[Secret, Field(min_length=1, max_length=1000)]
# With the country's prefix (ITU-T E.164), as people space it.
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9][0-9 ]{5,22}[0-9]$")]
