"""Finding accounts."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import bindparam, func, select

from sav_auth.model import Account
from sav_chassis import shared_fields
from sav_chassis.errors import Conflict, Empty, NothingToChange, WrongFields
from sav_chassis.tx import Tx
from sav_contracts.actor import Role


class EmailTaken(Conflict):
    """Another account has this address."""

    code = "email_taken"
    en = "There is an account with this address already"
    fr = "Un compte existe déjà avec cette adresse"


class LastAdmin(Conflict):
    """Without this admin there would be none."""

    code = "last_admin"
    en = "There must be an admin: appoint another one first"
    fr = "Il faut au moins un administrateur : nommez-en d’abord un autre"


class Credentials(NamedTuple):
    """The id and the password hash of an account."""

    id: UUID
    password_hash: str | None


KNOWN = select(Account.id, Account.password_hash).where(Account.email == bindparam("email"))


async def by_email(tx: Tx, email: str) -> Credentials | None:
    """The account with this address, or None; takes no lock, so that somebody who guesses passwords blocks nobody."""
    # Two columns, not the record: a record read here could not be loaded and locked later if it changes in between.
    row = (await tx.session.execute(KNOWN, {"email": email})).one_or_none()
    return Credentials(*row) if row else None


async def check_free(tx: Tx, email: str) -> None:
    """Raises `EmailTaken` where an account has this address."""
    if await by_email(tx, email):
        raise EmailTaken


async def active_admins(tx: Tx) -> int:
    """How many active admins there are; no other transaction changes that until this one ends."""
    await tx.lock("admins")
    admins = select(func.count()).where(Account.role == Role.ADMIN, Account.status == "active")
    return await tx.session.scalar(admins) or 0


async def check_not_last(tx: Tx, account: Account) -> None:
    """Raises `LastAdmin` where this account is the only active admin."""
    if (account.role, account.status) == (Role.ADMIN, "active") and await active_admins(tx) == 1:
        raise LastAdmin


def change(account: Account, said: BaseModel, but: Iterable[str] = ()) -> bool:
    """Sets the given fields, except those in `but`; returns whether any changed. Only the phone number may be null."""
    given = {name: getattr(said, name) for name in said.model_fields_set if name not in but}
    if not given:
        raise NothingToChange
    empty = sorted(name for name, value in given.items() if value is None and name != "phone")
    if empty:
        raise WrongFields.each(Empty(field=name) for name in empty)
    return shared_fields.change(account, given)
