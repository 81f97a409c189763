"""Who is written to, where, and in which language."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.fields import Locale
from sav_contracts.claims import ClientView
from sav_contracts.notifier import Category

BY_ROLE = text(
    """SELECT doc::text FROM view WHERE kind = 'account' AND status = 'active' AND doc ->> 'role' = ANY(:roles)
    ORDER BY id"""
)


class Person(NamedTuple):
    """Somebody who is told something; `gone` says why they are not told anything any more."""

    id: UUID
    name: str
    email: str
    locale: Locale
    gone: str | None

    @property
    def silent(self) -> str | None:
        """Why they are not to be written to."""
        return self.gone or (None if self.email else "no address is known")


def holder(account: AccountView) -> Person:
    """Whoever an account belongs to, at the address they sign in with."""
    gone = account.status in {"deactivated", "closed"}
    return Person(
        account.id,
        account.name,
        account.email,
        account.locale,
        f"the account is {account.status}" if gone else None,
    )


async def client(tx: Tx, id: UUID) -> Person:
    """A client, at the address of their profile, or else at the one they sign in with."""
    profile = await tx.view(ClientView, id)
    account = holder(await tx.view(AccountView, id))
    email = profile.email or account.email
    return account._replace(name=profile.name, email=email, locale=profile.locale)


async def technician(tx: Tx, id: UUID) -> Person:
    return holder(await tx.view(AccountView, id))


async def managers(tx: Tx) -> list[Person]:
    """Everybody who manages and can sign in."""
    return await _of_roles(tx, Role.MANAGER)


async def managers_and_admins(tx: Tx) -> list[Person]:
    return await _of_roles(tx, Role.MANAGER, Role.ADMIN)


async def addressee(tx: Tx, id: UUID, category: Category) -> Person:
    """The same person as of now: about the account at its own address, else as above."""
    account = await tx.view(AccountView, id)
    if account.role is Role.CLIENT and category != "account":
        return await client(tx, id)
    return holder(account)


async def _of_roles(tx: Tx, *roles: Role) -> list[Person]:
    found = await tx.session.execute(BY_ROLE, {"roles": [role.value for role in roles]})
    return [holder(AccountView.model_validate_json(doc)) for doc in found.scalars()]
