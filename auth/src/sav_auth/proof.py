"""Password or code again, before commands that somebody at an unlocked screen must not be able to send."""

from pydantic import SecretStr

from sav_auth.attempts import record
from sav_auth.model import Account
from sav_auth.passwords import matches
from sav_auth.sessions import factor_of
from sav_chassis.errors import RecordedRefusal, WrongField
from sav_chassis.tx import Tx


class NotYourPassword(WrongField):
    en = "is not your password"
    fr = "ce n’est pas votre mot de passe"


class CodeNotGood(WrongField):
    field: str = "code"
    en = "is not a valid code now"
    fr = "ce code n’est pas valable en ce moment"


async def check_password_again(
    tx: Tx, account: Account, field: str, password: SecretStr
) -> RecordedRefusal | None:
    """None where it is the password; else the refusal to return, recorded as a failed attempt like a failed sign-in."""
    if await matches(account.password_hash, password):
        return None
    record(tx, account.id, "wrong_password")
    return RecordedRefusal(NotYourPassword(field=field))


async def check_code_again(tx: Tx, account: Account, code: SecretStr) -> RecordedRefusal | None:
    """The same for a code of the second factor."""
    factor = await factor_of(tx, account)
    if factor and factor.takes(code.get_secret_value(), tx.settings.link_secret, tx.now):
        return None
    record(tx, account.id, "wrong_code")
    return RecordedRefusal(CodeNotGood())
