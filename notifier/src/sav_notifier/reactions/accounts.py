"""What people are told about their accounts."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth import UserInvited, UserRegistered
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
    """Who signed up is welcomed."""
    if event.state.role is not Role.CLIENT:
        return "not a client"
    await tell(tx, event, [holder(event.state)], "welcome", "account")
    return None
