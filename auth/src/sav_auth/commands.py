"""Signing up, signing in, inviting."""

from sqlalchemy import func, select

from sav_auth.app import auth
from sav_auth.model import FAILURE_WINDOW, INVITATION_LASTS, REPEATED_FAILURES, Account, Grant, LoginAttempt
from sav_auth.passwords import hashed, matches
from sav_chassis.errors import Conflict, NotSignedIn, Refused, SavError
from sav_chassis.identity import ACCESS_SECONDS, Links, Signer
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth import (
    Accepted,
    AcceptInvitation,
    InviteUser,
    RegisterClient,
    SignedIn,
    SignIn,
    SignInFailedRepeatedly,
    UserActivated,
    UserInvited,
    UserRegistered,
)


class LinkExpired(SavError):
    """The link was used, is too old, or was never ours."""

    code = "link_expired"
    status = 410


@auth.command(RegisterClient)
async def register_client(cmd: RegisterClient, tx: Tx, by: Actor) -> Accepted:
    """Make a client account. A known address gets the same answer, after the same work."""
    password_hash = await hashed(cmd.password.get_secret_value())
    if await _by_email(tx, cmd.email) is None:
        account = tx.add(
            Account(
                id=tx.new_id(),
                email=cmd.email,
                name=cmd.name,
                role=Role.CLIENT,
                locale=cmd.locale,
                status="active",
                password_hash=password_hash,
            )
        )
        tx.emit(UserRegistered, account)
    return Accepted()


@auth.command(SignIn)
async def sign_in(cmd: SignIn, tx: Tx, by: Actor) -> SignedIn | Refused:
    """Answer a token for the right password; record who tried."""
    account = await _by_email(tx, cmd.email)
    right = await matches(account.password_hash if account else None, cmd.password.get_secret_value())
    if account is None:
        raise NotSignedIn("address or password is wrong")
    if right and account.status == "active":
        actor = Actor(id=account.id, role=account.role, session=tx.new_id())
        tx.add(_attempt(tx, account, actor))
        token = Signer(tx.settings.signing_key).token(actor)
        return SignedIn(access_token=token, expires_in=ACCESS_SECONDS, user_id=account.id, role=account.role)
    tx.add(_attempt(tx, account, None))
    if (failures := await _recent_failures(tx, account)) == REPEATED_FAILURES:
        account = await tx.load(Account, account.id, SYSTEM)
        tx.emit(SignInFailedRepeatedly, account, failures=failures)
    return Refused(NotSignedIn("address or password is wrong"))


@auth.command(InviteUser)
async def invite_user(cmd: InviteUser, tx: Tx, by: Actor) -> Account:
    """Make an account that waits for its person to choose a password; or send who has not done so a new link."""
    account = await _by_email(tx, cmd.email)
    if account is None:
        account = tx.add(Account(id=tx.new_id(), status="invited", **cmd.model_dump()))
    else:
        account = await tx.load(Account, account.id, by)
        if (account.status, account.role) != ("invited", cmd.role):
            raise Conflict("there is an account with this address already")
    expires_at = tx.now + INVITATION_LASTS
    grant = tx.add(Grant(id=tx.new_id(), account_id=account.id, purpose="invitation", expires_at=expires_at))
    tx.emit(UserInvited, account, grant_id=grant.id, expires_at=expires_at)
    return account


@auth.command(AcceptInvitation)
async def accept_invitation(cmd: AcceptInvitation, tx: Tx, by: Actor) -> Accepted:
    """Set the password of an invited account; its link works once, repeating that is no error."""
    password = cmd.password.get_secret_value()
    password_hash = await hashed(password)
    grant_id = Links(tx.settings.link_secret).grant("invitation", cmd.token.get_secret_value())
    grant = await tx.first(select(Grant).where(Grant.id == grant_id)) if grant_id else None
    if grant is None:
        raise LinkExpired("this link was never ours; ask for a new invitation")
    account = await tx.load(Account, grant.account_id, SYSTEM)
    if grant.burn(tx.now) and account.status == "invited":
        account.activate(password_hash, by)
        tx.emit(UserActivated, account)
    elif not await matches(account.password_hash, password):
        raise LinkExpired("this link was used or has expired; ask for a new invitation")
    return Accepted()


async def _by_email(tx: Tx, email: str) -> Account | None:
    """Without a lock: who tries passwords must not hold up the person."""
    return (await tx.session.execute(select(Account).where(Account.email == email))).scalar_one_or_none()


def _attempt(tx: Tx, account: Account, signed_in: Actor | None) -> LoginAttempt:
    return LoginAttempt(
        id=tx.new_id(),
        account_id=account.id,
        session_id=signed_in.session if signed_in else None,
        at=tx.now,
        succeeded=signed_in is not None,
    )


async def _recent_failures(tx: Tx, account: Account) -> int:
    recent = select(func.count()).where(
        LoginAttempt.account_id == account.id,
        LoginAttempt.at > tx.now - FAILURE_WINDOW,
        LoginAttempt.succeeded.is_(False),
    )
    return await tx.session.scalar(recent) or 0
