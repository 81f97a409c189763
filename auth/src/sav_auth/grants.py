"""Grants behind the links in messages: made here, signed by notifier, used up here."""

from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import func, select, update

from sav_auth.model import Account, Grant, Purpose
from sav_auth.passwords import matches
from sav_chassis.errors import TooMany
from sav_chassis.identity import Links
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM

# The most links of one kind an account gets within `LINKS_WITHIN`, so that nobody can fill somebody else's mailbox.
MOST_LINKS = 3
LINKS_WITHIN = timedelta(minutes=15)
# How long a link holds.
LINK_LIFETIMES: dict[Purpose, timedelta] = {
    "invitation": timedelta(days=7),
    "first-admin": timedelta(days=1),
    "verify-email": timedelta(days=3),
    "change-email": timedelta(days=1),
    "password-reset": timedelta(hours=1),
}


class TooManyLinks(TooMany):
    """The account was sent too many links of this kind just now; it gets no more for a while."""

    code = "too_many_links"
    en = "Too many links were sent just now; ask again in {retry_after} s"
    fr = "Trop de liens viennent d’être envoyés ; réessayez dans {retry_after} s"


class LinkUsed(LinkExpired):
    en = "This link was used or has expired; ask for a new one"
    fr = "Ce lien a déjà servi ou a expiré ; demandez-en un nouveau"


class CodeExpired(LinkExpired):
    en = "This code was used or has expired"
    fr = "Ce code a déjà servi ou a expiré"


def new_grant(tx: Tx, purpose: Purpose, account: Account | None, email: str | None = None) -> Grant:
    """A new right to do this once; `email` is the address it is about, where that is not the account's."""
    return tx.add(
        Grant(
            id=tx.new_id(),
            account_id=account.id if account else None,
            purpose=purpose,
            email=email,
            created_at=tx.now,
            expires_at=tx.now + LINK_LIFETIMES[purpose],
        )
    )


async def grant_in_token(tx: Tx, purpose: Purpose, token: SecretStr) -> Grant | None:
    """The grant that was signed into this token for this purpose, used or not; locked."""
    id = Links(tx.settings.link_secret).grant(purpose, token.get_secret_value())
    found = select(Grant).where(Grant.id == id, Grant.purpose == purpose)
    return await tx.first(found) if id else None


async def grant_and_account(tx: Tx, purpose: Purpose, token: SecretStr) -> tuple[Grant, Account]:
    """The grant in a link, used or not, and its account, both locked; `LinkExpired` where the link was never ours."""
    grant = await grant_in_token(tx, purpose, token)
    if grant is None or grant.account_id is None:
        raise LinkExpired
    return grant, await tx.load(Account, grant.account_id, SYSTEM)


async def check_repeated(tx: Tx, grant: Grant, account: Account, password: SecretStr) -> None:
    """Raises `LinkUsed`, unless this repeats a recent request with the same password: its reply may be lost."""
    if not (grant.was_just_used(tx.now) and await matches(account.password_hash, password)):
        raise LinkUsed


async def revoke_grants(tx: Tx, account: Account | None, *purposes: Purpose) -> None:
    """Revokes the open grants of an account for these purposes; for all, where none is named."""
    open_ones = update(Grant).where(
        Grant.account_id == account.id if account else Grant.account_id.is_(None), Grant.used_at.is_(None)
    )
    if purposes:
        open_ones = open_ones.where(Grant.purpose.in_(purposes))
    await tx.session.execute(open_ones.values(used_at=tx.now))


async def has_too_many_links(tx: Tx, account: Account, purpose: Purpose) -> bool:
    """Whether the account was sent `MOST_LINKS` of these links within `LINKS_WITHIN`."""
    recent = select(func.count()).where(
        Grant.account_id == account.id,
        Grant.purpose == purpose,
        Grant.created_at > tx.now - LINKS_WITHIN,
    )
    return (await tx.session.scalar(recent) or 0) >= MOST_LINKS
