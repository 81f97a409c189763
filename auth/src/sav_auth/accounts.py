"""Finding accounts."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import bindparam, func, select

from sav_auth.model import Account
from sav_chassis.errors import Conflict, FieldError, Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Role


class EmailTaken(Conflict):
    """Another account has this address."""

    code = "email_taken"


class LastAdmin(Conflict):
    """Without this admin there would be none."""

    code = "last_admin"


class Known(NamedTuple):
    """There is such an account."""

    id: UUID
    password_hash: str | None


KNOWN = select(Account.id, Account.password_hash).where(Account.email == bindparam("email"))


async def by_email(tx: Tx, email: str) -> Known | None:
    """Without a lock: who tries passwords must not hold up the person."""
    # Not the record itself: one that somebody changes before it is locked could not be loaded any more.
    row = (await tx.session.execute(KNOWN, {"email": email})).one_or_none()
    return Known(*row) if row else None


async def check_free(tx: Tx, email: str) -> None:
    """Raises `EmailTaken` where somebody has this address."""
    if await by_email(tx, email):
        raise EmailTaken("there is an account with this address already")


async def active_admins(tx: Tx) -> int:
    """How many there are; until the end nobody else changes that."""
    await tx.alone("admins")
    admins = select(func.count()).where(Account.role == Role.ADMIN, Account.status == "active")
    return await tx.session.scalar(admins) or 0


async def check_not_last(tx: Tx, account: Account) -> None:
    """Raises `LastAdmin` where nobody else could govern any more."""
    if (account.role, account.status) == (Role.ADMIN, "active") and await active_admins(tx) == 1:
        raise LastAdmin("there must be an admin: appoint another one first")


def change(account: Account, said: BaseModel, but: Iterable[str] = ()) -> bool:
    """Sets the fields that are given; whether any is another one now. Only the phone number may be taken away."""
    given = {name: getattr(said, name) for name in said.model_fields_set if name not in but}
    if not given:
        raise Invalid.field("body", "say what to change")
    empty = sorted(name for name, value in given.items() if value is None and name != "phone")
    if empty:
        raise Invalid.fields([FieldError(field=name, message="it cannot be empty") for name in empty])
    changed = {name: value for name, value in given.items() if getattr(account, name) != value}
    for name, value in changed.items():
        setattr(account, name, value)
    return bool(changed)
