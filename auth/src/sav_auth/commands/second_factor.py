"""The second factor: set up, confirmed, taken away."""

from sav_auth import totp
from sav_auth.app import auth
from sav_auth.attempts import check_patience, record
from sav_auth.model import Account, SecondFactor
from sav_auth.proof import prove, prove_by_code
from sav_auth.sessions import any_factor, end_all
from sav_chassis.errors import Conflict, Invalid, Refused
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


@auth.command(SetUpSecondFactor)
async def set_up_second_factor(cmd: SetUpSecondFactor, tx: Tx, by: Actor) -> SecondFactorSecret | Refused:
    """Answer a new secret; until a code of it is confirmed, nothing changes. 409 where a factor is on."""
    await check_patience(tx, by.id)
    account = await tx.load(Account, by.id, by)
    if wrong := await prove(tx, account, "password", cmd.password):
        return wrong
    factor = await any_factor(tx, account)
    if factor is None:
        factor = tx.add(SecondFactor.begun(account.id, tx.settings.link_secret))
    elif factor.confirmed_at:
        raise Conflict("there is a second factor; turn it off first")
    else:
        factor.begin_anew(tx.settings.link_secret)
    secret = factor.opened(tx.settings.link_secret)
    return SecondFactorSecret(secret=totp.spelled(secret), uri=totp.uri(secret, account.email))


@auth.command(ConfirmSecondFactor)
async def confirm_second_factor(cmd: ConfirmSecondFactor, tx: Tx, by: Actor) -> RecoveryCodes | Refused:
    """Turn it on with a code of the authenticator, and answer the recovery codes; they are never told again."""
    await check_patience(tx, by.id)
    account = await tx.load(Account, by.id, by)
    factor = await any_factor(tx, account)
    if factor is None:
        raise Conflict("set up a second factor first")
    before = factor.confirmed_at
    if not factor.confirm(cmd.code.get_secret_value(), tx.settings.link_secret, tx.now):
        if before:
            raise Conflict("there is a second factor; turn it off first")
        record(tx, account.id, "wrong_code")
        return Refused(Invalid.field("code", "is not a code that is good now"))
    if before is None:
        ended = await end_all(tx, account, "ended", but=by.session)
        tx.emit(SecondFactorTurned, account, on=True, revoked=ended)
    return RecoveryCodes(codes=factor.recovery_codes(tx.settings.link_secret))


@auth.command(RemoveSecondFactor)
async def remove_second_factor(cmd: RemoveSecondFactor, tx: Tx, by: Actor) -> Accepted | Refused:
    """Turn it off, after the password or a code; where none is on there is nothing to do."""
    await check_patience(tx, by.id)
    account = await tx.load(Account, by.id, by)
    # An empty password is one too, and a wrong one.
    if cmd.password is not None and (wrong := await prove(tx, account, "password", cmd.password)):
        return wrong
    if cmd.code is not None and (wrong := await prove_by_code(tx, account, cmd.code)):
        return wrong
    await _turn_off(tx, account, by)
    return Accepted()


@auth.command(ResetSecondFactor)
async def reset_second_factor(cmd: ResetSecondFactor, tx: Tx, by: Actor) -> Account:
    """Take it away from somebody; where none is on there is nothing to do."""
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
        tx.emit(SecondFactorTurned, account, on=False, revoked=ended)
