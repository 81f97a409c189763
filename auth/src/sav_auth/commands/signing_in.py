"""Signing in, refreshing a session, signing out."""

from sqlalchemy import select

from sav_auth.accounts import Credentials, by_email
from sav_auth.app import auth
from sav_auth.attempts import (
    FREE_FOR_ACCOUNT,
    check_throttle,
    check_throttle_unlocked,
    recent_failures,
    record,
    tell_of_new_place,
)
from sav_auth.model import Account, Session
from sav_auth.model.session import RefreshToken
from sav_auth.passwords import matches, opens_nothing
from sav_auth.sessions import factor_of, issue_tokens
from sav_chassis.errors import NotSignedIn, RecordedRefusal, SessionOver
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.account import Accepted
from sav_contracts.auth.session import (
    RefreshSession,
    SessionEnded,
    SignedIn,
    SignIn,
    SignInFailedRepeatedly,
    SignInResult,
    SignOut,
)


class SecondFactorRequired(NotSignedIn):
    """The password is right; send it again with a code of the authenticator."""

    code = "second_factor_required"
    en = "Send a code of your authenticator too"
    fr = "Envoyez aussi un code de votre application d’authentification"


class WrongPassword(NotSignedIn):
    en = "The address or the password is wrong"
    fr = "L’adresse ou le mot de passe est incorrect"


class RefreshTokenNotValid(NotSignedIn):
    en = "The refresh token is not valid"
    fr = "Le jeton de renouvellement n’est pas valable"


class RefreshTokenReused(NotSignedIn):
    en = "The refresh token was used before; the session has ended"
    fr = "Le jeton de renouvellement a déjà servi ; la session est terminée"


@auth.command(SignIn)
async def sign_in(cmd: SignIn, tx: Tx, by: Actor) -> SignedIn | RecordedRefusal:
    """Return tokens for the right password, and code where there is a second factor; record the attempt."""
    known = await by_email(tx, cmd.email)
    whose = known.id if known else cmd.email
    await check_throttle_unlocked(tx, whose)
    right = await tx.without_transaction(matches(known.password_hash if known else None, cmd.password))
    # Again, since parallel attempts may have failed: a caller who has to wait is not told whether this one was right.
    await check_throttle(tx, whose)
    result: SignInResult = "wrong_password"
    if right and known and not opens_nothing(tx.settings, cmd.password):
        # Locks the account: `_judged` sees what changed since `by_email`.
        account = await tx.load(Account, known.id, SYSTEM)
        result = await _judged(tx, cmd, account, known)
        if result == "signed_in":
            await tell_of_new_place(tx, account)
            session = tx.add(Session.begun(tx.new_id(), account.id, tx.caller, tx.now))
            record(tx, whose, result, session.id)
            return await issue_tokens(tx, account, session)
    record(tx, whose, result)
    if result == "second_factor_required":
        return RecordedRefusal(SecondFactorRequired())
    if known:
        await _tell_of_repeated(tx, known)
    return RecordedRefusal(WrongPassword())


async def _judged(tx: Tx, cmd: SignIn, account: Account, known: Credentials) -> SignInResult:
    if account.status != "active":
        return "not_active"
    if account.password_hash != known.password_hash:
        return "wrong_password"
    factor = await factor_of(tx, account)
    if factor is None:
        return "signed_in"
    if cmd.code is None:
        return "second_factor_required"
    right = factor.takes(cmd.code.get_secret_value(), tx.settings.link_secret, tx.now)
    return "signed_in" if right else "wrong_code"


async def _tell_of_repeated(tx: Tx, known: Credentials) -> None:
    if (failures := await recent_failures(tx, known.id)) == FREE_FOR_ACCOUNT:
        tx.emit(await tx.load(Account, known.id, SYSTEM), SignInFailedRepeatedly(failures=failures))


@auth.command(RefreshSession)
async def refresh_session(cmd: RefreshSession, tx: Tx, by: Actor) -> SignedIn | RecordedRefusal:
    """Return new tokens, for the current role. A token that was replaced before ends the session, save within 10 s."""
    token = RefreshToken.read(cmd.refresh_token.get_secret_value())
    session = await tx.session.get(Session, token.session_id) if token else None
    if token is None or session is None or not session.made(token, tx.settings.link_secret):
        raise RefreshTokenNotValid
    # The account before the session: whatever ends sessions takes the locks in this order.
    account = await tx.load(Account, session.account_id, SYSTEM)
    await tx.session.refresh(session, with_for_update=True)
    if not session.is_open(tx.now) or account.status != "active":
        raise SessionOver
    if not session.follows(token, tx.now):
        session.end("reused", tx.now)
        tx.emit(account, SessionEnded(session_id=session.id, why="reused", revoked=(session.id,)))
        return RecordedRefusal(RefreshTokenReused())
    session.refresh(token, tx.caller, tx.now)
    return await issue_tokens(tx, account, session)


@auth.command(SignOut)
async def sign_out(cmd: SignOut, tx: Tx, by: Actor) -> Accepted:
    """End the session of the token."""
    account = await tx.load(Account, by.id, by)
    session = await tx.first(select(Session).where(Session.id == by.session))
    if session and session.is_open(tx.now):
        session.end("signed_out", tx.now)
        tx.emit(account, SessionEnded(session_id=session.id, why="signed_out", revoked=(session.id,)))
    return Accepted()
