"""Proving who one is once more, before what must not be done by whoever found an open screen."""

from pydantic import SecretStr

from sav_auth.attempts import record
from sav_auth.model import Account
from sav_auth.passwords import matches
from sav_auth.sessions import factor_of
from sav_chassis.errors import Invalid, Refused
from sav_chassis.tx import Tx


async def prove(tx: Tx, account: Account, field: str, password: SecretStr) -> Refused | None:
    """None where it is the password; else what to answer, recorded as a failed try like those at the door."""
    if await matches(account.password_hash, password):
        return None
    record(tx, account.id, "wrong_password")
    return Refused(Invalid.field(field, "is not your password"))


async def prove_by_code(tx: Tx, account: Account, code: SecretStr) -> Refused | None:
    """The same for a code of the second factor."""
    factor = await factor_of(tx, account)
    if factor and factor.takes(code.get_secret_value(), tx.settings.link_secret, tx.now):
        return None
    record(tx, account.id, "wrong_code")
    return Refused(Invalid.field("code", "is not a code that is good now"))
