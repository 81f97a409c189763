"""The recipients of messages, with their addresses and languages."""

from typing import Any, NamedTuple
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.fields import Locale
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.messages import Event
from sav_contracts.notifier import Category
from sav_notifier.zones import HERE


class Recipient(NamedTuple):
    """Somebody a notification is sent to; `gone` says why nothing is sent to them any more.

    An address is `confirmed` if its holder followed a link sent there, is staff, or was invited by staff. Otherwise
    somebody may have signed up with a stranger's address.
    """

    id: UUID
    name: str
    email: str
    locale: Locale
    gone: str | None
    confirmed: bool
    # The clock that they read.
    zone: str = HERE

    @property
    def silent(self) -> str | None:
        """Why nothing is sent to them."""
        return self.gone or (None if self.email else "no address is known")


def holder(account: AccountView) -> Recipient:
    """The holder of an account, at the address they sign in with."""
    gone = account.status in {"deactivated", "closed"}
    return Recipient(
        account.id,
        account.name,
        account.email,
        account.locale,
        f"the account is {account.status}" if gone else None,
        account.email_verified or account.status == "invited" or account.role is not Role.CLIENT,
        account.time_zone,
    )


async def client(tx: Tx, id: UUID) -> Recipient:
    """A client, at the address of their profile, or else at the one they sign in with."""
    profile = await tx.view(ClientView, id)
    account = holder(await tx.view(AccountView, id))
    email = profile.email or account.email
    return account._replace(name=profile.name, email=email, locale=profile.locale)


async def phones_of(tx: Tx, client_id: UUID) -> tuple[str, ...]:
    """The telephone numbers of a client's profile, or else the one of their account."""
    profile, account = await tx.view(ClientView, client_id), await tx.view(AccountView, client_id)
    return profile.phones or ((account.phone,) if account.phone else ())


async def technician(tx: Tx, id: UUID) -> Recipient:
    return holder(await tx.view(AccountView, id))


async def account_holder(event: Event, tx: Tx) -> list[Recipient]:
    """The holder of the account that an event is about."""
    assert isinstance(event.state, AccountView)
    return [holder(event.state)]


async def its_client(event: Any, tx: Tx) -> list[Recipient]:
    """The client of the record that an event is about."""
    return [await client(tx, event.state.client_id)]


async def its_technician(event: Any, tx: Tx) -> list[Recipient]:
    return [await technician(tx, event.state.technician_id)]


async def managers(event: Event, tx: Tx) -> list[Recipient]:
    """All managers whose account is active."""
    return await _of_roles(tx, Role.MANAGER)


async def fellow_managers(event: Event, tx: Tx) -> list[Recipient]:
    """All managers but the one whose act it is."""
    return [one for one in await managers(event, tx) if one.id != tx.context.actor_id]


async def managers_and_admins(event: Event, tx: Tx) -> list[Recipient]:
    return await _of_roles(tx, Role.MANAGER, Role.ADMIN)


async def technician_name(tx: Tx, id: UUID) -> str:
    return (await tx.view(TechnicianView, id)).name


async def in_their_place(tx: Tx, technician_id: UUID) -> str | None:
    """The name of the manager who acted in place of this technician; None where they did it themselves."""
    if tx.context.actor_id in (None, technician_id) or tx.context.actor_role not in MANAGERS:
        return None
    return (await tx.view(AccountView, tx.context.actor_id)).name


async def addressee(tx: Tx, id: UUID, category: Category) -> Recipient:
    """The recipient as of now, at the sign-in address; a client at the profile's, except about their account."""
    account = await tx.view(AccountView, id)
    if account.role is Role.CLIENT and category != "account":
        return await client(tx, id)
    return holder(account)


async def _of_roles(tx: Tx, *roles: Role) -> list[Recipient]:
    accounts = tx.copies(AccountView).where(status="active", role=[*roles])
    return [holder(account) for account in await accounts.all()]
