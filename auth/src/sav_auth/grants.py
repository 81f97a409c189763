"""Links in messages: granted here, signed by who sends them, used up here."""

from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import func, select, update

from sav_auth.model import Account, Grant, Purpose
from sav_auth.model.grant import LASTS
from sav_auth.passwords import matches
from sav_chassis.errors import SavError
from sav_chassis.identity import Links
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM

# So many links of one kind an account is sent within this time: nobody's mailbox is filled by somebody else.
MOST_LINKS = 3
LINKS_WITHIN = timedelta(minutes=15)


class TooManyLinks(SavError):
    """The account was sent so many links of this kind just now that it gets no more for a while."""

    code = "too_many_links"
    status = 429


class LinkExpired(SavError):
    """The link was used, is too old, or was never ours."""

    code = "link_expired"
    status = 410


def granted(tx: Tx, purpose: Purpose, account: Account | None, email: str | None = None) -> Grant:
    """A new right to do this once; with the address that it is about, where that is not the account's."""
    return tx.add(
        Grant(
            id=tx.new_id(),
            account_id=account.id if account else None,
            purpose=purpose,
            email=email,
            created_at=tx.now,
            expires_at=tx.now + LASTS[purpose],
        )
    )


async def shown(tx: Tx, purpose: Purpose, token: SecretStr) -> Grant | None:
    """The grant that was signed into this token for this purpose, used or not; locked."""
    id = Links(tx.settings.link_secret).grant(purpose, token.get_secret_value())
    found = select(Grant).where(Grant.id == id, Grant.purpose == purpose)
    return await tx.first(found) if id else None


async def presented(tx: Tx, purpose: Purpose, token: SecretStr) -> tuple[Grant, Account]:
    """The grant in a link, used or not, and whose it is, both locked; `LinkExpired` where it was never ours."""
    grant = await shown(tx, purpose, token)
    if grant is None or grant.account_id is None:
        raise LinkExpired("this link was never ours; ask for a new one")
    return grant, await tx.load(Account, grant.account_id, SYSTEM)


async def check_repeated(tx: Tx, grant: Grant, account: Account, password: SecretStr) -> None:
    """Raises `LinkExpired`, unless who sends the same once more may only have missed the answer."""
    if not (grant.was_just_used(tx.now) and await matches(account.password_hash, password)):
        raise LinkExpired("this link was used or has expired; ask for a new one")


async def withdraw(tx: Tx, account: Account | None, *purposes: Purpose) -> None:
    """What was granted for these purposes, all where none is named, is worth nothing any more."""
    open_ones = update(Grant).where(
        Grant.account_id == account.id if account else Grant.account_id.is_(None), Grant.used_at.is_(None)
    )
    if purposes:
        open_ones = open_ones.where(Grant.purpose.in_(purposes))
    await tx.session.execute(open_ones.values(used_at=tx.now))


async def had_enough(tx: Tx, account: Account, purpose: Purpose) -> bool:
    """Whether the account was sent so many of these links just now that it gets no more for a while."""
    recent = select(func.count()).where(
        Grant.account_id == account.id,
        Grant.purpose == purpose,
        Grant.created_at > tx.now - LINKS_WITHIN,
    )
    return (await tx.session.scalar(recent) or 0) >= MOST_LINKS
