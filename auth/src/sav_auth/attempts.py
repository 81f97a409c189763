"""Tries to sign in: recorded, counted, and made to wait where there were too many. Nobody is locked out for good."""

import hmac
import math
import re
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from sqlalchemy import func, select

from sav_auth.agents import named
from sav_auth.model import Account, LoginAttempt
from sav_auth.model.attempt import KEPT
from sav_chassis.database import driver
from sav_chassis.errors import SavError
from sav_chassis.tx import Tx
from sav_contracts.auth.session import SignedInFromNewPlace, SignInResult

# Failures within this time count.
WINDOW = timedelta(minutes=15)
# So many of one account, or from one place over all accounts, cost nothing; each further one doubles the wait.
FREE_FOR_ACCOUNT, FREE_FROM_PLACE = 5, 20
LONGEST_WAIT = timedelta(seconds=60)
# Somebody else's failures do not keep a person waiting at a place from which they signed in within this time.
KNOWN_FOR = timedelta(days=30)
# Whether an account was opened from such a place, and whether from any.
SIGNED_IN = """
SELECT EXISTS (SELECT FROM login_attempt WHERE account_id = $1 AND result = 'signed_in' AND place = $2) AS same,
    EXISTS (SELECT FROM login_attempt WHERE account_id = $1 AND result = 'signed_in') AS any"""
FAILURES: tuple[SignInResult, ...] = ("wrong_password", "wrong_code", "not_active")
# Of an account (or of an address that has none) and of a place: how many tries failed lately, and the last of them;
# and whether the account was opened from there. Every sign-in asks, twice: so it is one statement.
_LOOK = f"""
SELECT own.failures AS own, own.last AS own_last, here.failures AS here, here.last AS here_last, {{known}} AS known_here
FROM (SELECT count(*) AS failures, max(at) AS last FROM login_attempt
        WHERE {{whose}} = $1 AND at > $3 AND result IN {FAILURES}) AS own,
    (SELECT count(*) AS failures, max(at) AS last FROM login_attempt
        WHERE origin = $2 AND at > $3 AND result IN {FAILURES}) AS here"""
LOOK = _LOOK.format(
    whose="account_id",
    known="""EXISTS (SELECT FROM login_attempt
        WHERE account_id = $1 AND origin = $2 AND result = 'signed_in' AND at > $4)""",
)
LOOK_AT_NOBODYS = _LOOK.format(whose="email_mac", known="$4::timestamptz IS NULL")

# An account; or an address that has none.
Whose = UUID | str


class TooManyAttempts(SavError):
    """So many have failed that the next one has to wait; this one was not looked at."""

    code = "too_many_attempts"
    status = 429


async def check_patience(tx: Tx, whose: Whose) -> None:
    """Raises `TooManyAttempts` where the account, or the address that has none, or the caller's place has to wait.

    Before the account is locked: whoever signs in comes this way too.
    """
    # One after the other, or many at once would each find none before it. Places are not: there it is no more than
    # a few that slip through, and a company would wait in a line.
    await tx.alone(f"sign-in {whose}")
    await look(tx, whose)


async def look(tx: Tx, whose: Whose) -> None:
    """The same without waiting for those who try at the same moment."""
    statement, of = (LOOK_AT_NOBODYS, _mac(tx, whose)) if isinstance(whose, str) else (LOOK, whose)
    row = await driver(tx.session).fetchrow(
        statement,
        of,
        _origin(tx),
        tx.now - WINDOW,
        tx.now - KNOWN_FOR,
    )
    assert row is not None
    of_account = (
        timedelta() if row["known_here"] else _wait(tx, row["own"], row["own_last"], FREE_FOR_ACCOUNT)
    )
    waits = max(of_account, _wait(tx, row["here"], row["here_last"], FREE_FROM_PLACE))
    if waits > timedelta():
        seconds = math.ceil(waits.total_seconds())
        raise TooManyAttempts(f"too many attempts; try again in {seconds} s", retry_after=seconds)


def record(tx: Tx, whose: Whose, result: SignInResult, session_id: UUID | None = None) -> None:
    """Keeps who tried, from where, and what came of it."""
    tx.add(
        LoginAttempt(
            id=tx.new_id(),
            account_id=None if isinstance(whose, str) else whose,
            email_mac=_mac(tx, whose) if isinstance(whose, str) else None,
            session_id=session_id,
            at=tx.now,
            result=result,
            address=tx.caller.address,
            agent=tx.caller.agent,
            origin=_origin(tx),
            place=_place(tx),
        )
    )


async def tell_of_new_place(tx: Tx, account: Account) -> None:
    """Tells a person who signs in as none of their kept sign-ins did: from that network, with that browser."""
    place = _place(tx)
    if place is None:
        return
    row = await driver(tx.session).fetchrow(SIGNED_IN, account.id, place)
    assert row is not None
    # None of any kind: it is the first, unless all of them are too long ago.
    known = row["same"] or (not row["any"] and account.created_at > tx.now - KEPT)
    if not known:
        agent = named(tx.caller.agent)
        tx.emit(SignedInFromNewPlace, account, at=tx.now, address=tx.caller.address, agent=agent)


def _place(tx: Tx) -> str | None:
    """Network and browser, this without its numbers: a newer version is no other one."""
    origin = _origin(tx)
    return origin and f"{origin} {re.sub('[0-9.]+', '', tx.caller.agent or '')}"


async def recent_failures(tx: Tx, account_id: UUID) -> int:
    """How many tries failed within the window."""
    recent = select(func.count()).where(
        LoginAttempt.account_id == account_id,
        LoginAttempt.at > tx.now - WINDOW,
        LoginAttempt.result.in_(FAILURES),
    )
    return await tx.session.scalar(recent) or 0


def _wait(tx: Tx, failures: int, last: datetime | None, free: int) -> timedelta:
    if failures < free or last is None:
        return timedelta()
    wait = min(timedelta(seconds=2 ** min(failures - free, 10)), LONGEST_WAIT)
    return last + wait - tx.now


def _mac(tx: Tx, email: str) -> str:
    return hmac.digest(tx.settings.link_secret.encode(), b"address\0" + email.encode(), "sha256").hex()


def _origin(tx: Tx) -> str | None:
    """One IPv4 address, or the /64 of an IPv6 one: a customer has as many of those as they like."""
    try:
        address = ip_address(tx.caller.address or "")
    except ValueError:
        return tx.caller.address
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)
