"""What people are told about their accounts."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth.account import (
    EmailChangeRequested,
    EmailVerificationRequested,
    SignUpRepeated,
    UserInvited,
    UserRegistered,
    UserUpdated,
)
from sav_contracts.auth.session import (
    PasswordChanged,
    PasswordResetRequested,
    SecondFactorTurned,
    SessionEnded,
    SignedInFromNewPlace,
)
from sav_notifier.app import notifier
from sav_notifier.people import holder
from sav_notifier.telling import tell


@notifier.on(UserInvited)
async def send_invitation(event: UserInvited, tx: Tx) -> None:
    """Who is invited gets a link; it is signed from the grant when it is sent."""
    await tell(
        tx,
        event,
        [holder(event.state)],
        "invitation",
        "account",
        role=event.state.role,
        grant_id=event.grant_id,
        expires_at=event.expires_at,
    )


@notifier.on(UserRegistered)
async def welcome_client(event: UserRegistered, tx: Tx) -> str | None:
    """Who signed up is welcomed, and asked to confirm the address."""
    if event.state.role is not Role.CLIENT:
        return "not a client"
    link = {"grant_id": event.grant_id, "expires_at": event.expires_at}
    await tell(tx, event, [holder(event.state)], "welcome", "account", **link)
    return None


@notifier.on(SignUpRepeated)
async def warn_of_sign_up(event: SignUpRepeated, tx: Tx) -> None:
    """The person hears that somebody used their address; who did so heard nothing."""
    link = {"grant_id": event.grant_id, "expires_at": event.expires_at}
    await tell(tx, event, [holder(event.state)], "sign_up_repeated", "account", **link)


@notifier.on(EmailVerificationRequested)
async def ask_for_confirmation(event: EmailVerificationRequested, tx: Tx) -> None:
    """An address is asked to be confirmed by a link, which goes there; also one that is not the account's yet."""
    link = {"grant_id": event.grant_id, "expires_at": event.expires_at}
    if event.email is None:
        await tell(tx, event, [holder(event.state)], "verification", "account", **link)
    else:
        await tell(tx, event, [holder(event.state)], "new_address", "account", to=event.email, **link)


@notifier.on(EmailChangeRequested)
async def warn_of_new_address(event: EmailChangeRequested, tx: Tx) -> None:
    """The address that a person has hears that they asked for another one."""
    await tell(tx, event, [holder(event.state)], "address_asked", "account", to=event.state.email)


@notifier.on(UserUpdated)
async def tell_the_old_address(event: UserUpdated, tx: Tx) -> str | None:
    """Whose sign-in address was changed hears of it at the old one, should it have been somebody else."""
    if not event.previous_email or event.state.status != "active":
        return "no address that somebody signed in with"
    await tell(tx, event, [holder(event.state)], "address_changed", "account", to=event.previous_email)
    return None


@notifier.on(PasswordResetRequested)
async def send_reset(event: PasswordResetRequested, tx: Tx) -> None:
    """Who forgot the password gets a link."""
    link = {"grant_id": event.grant_id, "expires_at": event.expires_at}
    await tell(tx, event, [holder(event.state)], "password_reset", "account", **link)


@notifier.on(PasswordChanged)
async def tell_of_password(event: PasswordChanged, tx: Tx) -> None:
    """Whose password was changed hears of it, should it have been somebody else."""
    await tell(tx, event, [holder(event.state)], "password_changed", "account", by_link=event.by_link)


@notifier.on(SecondFactorTurned)
async def tell_of_second_factor(event: SecondFactorTurned, tx: Tx) -> None:
    """The same for the second factor."""
    await tell(tx, event, [holder(event.state)], "second_factor", "account", on=event.on)


@notifier.on(SignedInFromNewPlace)
async def tell_of_new_place(event: SignedInFromNewPlace, tx: Tx) -> None:
    """Who signs in from where they never did hears of it, should it have been somebody else."""
    where = {"at": event.at, "zone": event.state.time_zone, "address": event.address, "agent": event.agent}
    await tell(tx, event, [holder(event.state)], "signed_in", "account", **where)


@notifier.on(SessionEnded)
async def warn_of_copied_session(event: SessionEnded, tx: Tx) -> str | None:
    """Whose refresh token came back used is told, for it may have been stolen."""
    if event.why != "reused":
        return "ended by the person"
    await tell(tx, event, [holder(event.state)], "session_reused", "account")
    return None
