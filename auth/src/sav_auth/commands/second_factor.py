"""The second factor: set up, confirmed, removed."""

from sav_auth import totp
from sav_auth.app import auth
from sav_auth.attempts import check_throttle, record
from sav_auth.model import Account, SecondFactor
from sav_auth.proof import CodeNotGood, check_code_again, check_password_again
from sav_auth.sessions import any_factor, end_all
from sav_chassis.errors import Conflict, RecordedRefusal
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import Accepted
from sav_contracts.auth.session import (
    ConfirmSecondFactor,
    RecoveryCodes,
    RemoveSecondFactor,
    ResetSecondFactor,
    SecondFactorSecret,
    SecondFactorTurned,
    SetUpSecondFactor,
)


class HasSecondFactor(Conflict):
    en = "There is a second factor; turn it off first"
    fr = "Un second facteur est déjà activé ; désactivez-le d’abord"


class NoSecondFactor(Conflict):
    en = "Set up a second factor first"
    fr = "Activez d’abord un second facteur"


@auth.command(SetUpSecondFactor)
async def set_up_second_factor(
    cmd: SetUpSecondFactor, tx: Tx, by: Actor
) -> SecondFactorSecret | RecordedRefusal:
    """Return a new secret; nothing changes until a code of it is confirmed. 409 where a factor is on."""
    await check_throttle(tx, by.id)
    account = await tx.load(Account, by.id, by)
    if wrong := await check_password_again(tx, account, "password", cmd.password):
        return wrong
    factor = await any_factor(tx, account)
    if factor is None:
        factor = tx.add(SecondFactor.begun(account.id, tx.settings.link_secret))
    elif factor.confirmed_at:
        raise HasSecondFactor
    else:
        factor.begin_anew(tx.settings.link_secret)
    secret = factor.opened(tx.settings.link_secret)
    return SecondFactorSecret(secret=totp.spelled(secret), uri=totp.uri(secret, account.email))


@auth.command(ConfirmSecondFactor)
async def confirm_second_factor(
    cmd: ConfirmSecondFactor, tx: Tx, by: Actor
) -> RecoveryCodes | RecordedRefusal:
    """Turn it on with a code of the authenticator, and return the recovery codes; they are not shown again."""
    await check_throttle(tx, by.id)
    account = await tx.load(Account, by.id, by)
    factor = await any_factor(tx, account)
    if factor is None:
        raise NoSecondFactor
    before = factor.confirmed_at
    if not factor.confirm(cmd.code.get_secret_value(), tx.settings.link_secret, tx.now):
        if before:
            raise HasSecondFactor
        record(tx, account.id, "wrong_code")
        return RecordedRefusal(CodeNotGood())
    if before is None:
        ended = await end_all(tx, account, "ended", but=by.session)
        tx.emit(account, SecondFactorTurned(on=True, revoked=ended))
    return RecoveryCodes(codes=factor.recovery_codes(tx.settings.link_secret))


@auth.command(RemoveSecondFactor)
async def remove_second_factor(cmd: RemoveSecondFactor, tx: Tx, by: Actor) -> Accepted | RecordedRefusal:
    """Turn it off, given the password or a code; nothing to do where none is on."""
    await check_throttle(tx, by.id)
    account = await tx.load(Account, by.id, by)
    # `is not None`: an empty password was given too, and is wrong.
    if cmd.password is not None and (
        wrong := await check_password_again(tx, account, "password", cmd.password)
    ):
        return wrong
    if cmd.code is not None and (wrong := await check_code_again(tx, account, cmd.code)):
        return wrong
    await _turn_off(tx, account, by)
    return Accepted()


@auth.command(ResetSecondFactor)
async def reset_second_factor(cmd: ResetSecondFactor, tx: Tx, by: Actor) -> Account:
    """Remove an account's second factor; nothing to do where none is on."""
    account = await tx.load(Account, cmd.account_id, by)
    await _turn_off(tx, account, by)
    return account


async def _turn_off(tx: Tx, account: Account, by: Actor) -> None:
    factor = await any_factor(tx, account)
    if factor is None:
        return
    await tx.session.delete(factor)
    if factor.confirmed_at:
        ended = await end_all(tx, account, "ended", but=by.session)
        tx.emit(account, SecondFactorTurned(on=False, revoked=ended))
