"""Sign-in attempts: recorded, counted, and delayed where too many have failed. Nobody is locked out for good."""

import hmac
import math
import re
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

import asyncpg
from sqlalchemy import func, select

from sav_auth.agents import browser_and_system
from sav_auth.model import Account, LoginAttempt
from sav_auth.model.attempt import RETENTION
from sav_chassis.database import driver
from sav_chassis.errors import TooMany
from sav_chassis.tx import Tx
from sav_contracts.auth.session import SignedInFromNewPlace, SignInResult

# Failures within this time count.
WINDOW = timedelta(minutes=15)
# Failures without a delay, for one account and from one network; each further one doubles the wait.
FREE_FOR_ACCOUNT, FREE_FROM_PLACE = 5, 20
LONGEST_WAIT = timedelta(seconds=60)
# For this long a browser that signed in is known: only its own failures delay it.
KNOWN_FOR = timedelta(days=30)
# Whether somebody signed in to this account from this place, and whether from any.
SIGNED_IN = """
SELECT EXISTS (SELECT FROM login_attempt WHERE account_id = $1 AND result = 'signed_in' AND place = $2) AS same,
    EXISTS (SELECT FROM login_attempt WHERE account_id = $1 AND result = 'signed_in') AS any"""
FAILURES: tuple[SignInResult, ...] = ("wrong_password", "wrong_code", "not_active")
# Recent failures, as count and last time: of this account (or of an address without one) from anywhere, from this
# network, and from this network with this browser; and of all accounts from this network. Also whether somebody signed
# in to the account from this network, and with this browser. One statement, because every sign-in runs it twice.
_LOOK = f"""
SELECT own.*, here.*, {{known}}
FROM (SELECT count(*) AS own, max(at) AS own_last,
            count(*) FILTER (WHERE origin = $2) AS own_here,
            max(at) FILTER (WHERE origin = $2) AS own_here_last,
            count(*) FILTER (WHERE place = $3) AS own_browser,
            max(at) FILTER (WHERE place = $3) AS own_browser_last
        FROM login_attempt WHERE {{whose}} = $1 AND at > $4 AND result IN {FAILURES}) AS own,
    (SELECT count(*) AS here, max(at) AS here_last
        FROM login_attempt WHERE origin = $2 AND at > $4 AND result IN {FAILURES}) AS here"""
_KNOWN = """EXISTS (SELECT FROM login_attempt
        WHERE account_id = $1 AND {where} AND result = 'signed_in' AND at > $5) AS known_{what}"""
LOOK = _LOOK.format(
    whose="account_id",
    known=f"""{_KNOWN.format(where="place = $3", what="browser")},
    {_KNOWN.format(where="origin = $2", what="here")}""",
)
LOOK_AT_NOBODYS = _LOOK.format(
    whose="email_mac", known="$5::timestamptz IS NULL AS known_browser, false AS known_here"
)

# An account's id; or an e-mail address without an account.
Whose = UUID | str


class TooManyAttempts(TooMany):
    """Too many attempts have failed: the next one has to wait. This one was not checked."""

    code = "too_many_attempts"
    en = "Too many attempts; try again in {retry_after} s"
    fr = "Trop de tentatives ; réessayez dans {retry_after} s"


async def check_throttle(tx: Tx, whose: Whose) -> None:
    """Raises `TooManyAttempts` where the account, the address without an account, or the caller's network has to wait.

    To be called before the account is locked: signing in takes the locks in this order too.
    """
    # Attempts on one account are serialised: parallel ones would each count no failure before them. Those from one
    # network are not: only a few more attempts get through, and otherwise a company's people would queue.
    await tx.lock(f"sign-in {whose}")
    await check_throttle_unlocked(tx, whose)


async def check_throttle_unlocked(tx: Tx, whose: Whose) -> None:
    """The same without the lock: does not wait for parallel attempts."""
    statement, of = (LOOK_AT_NOBODYS, _mac(tx, whose)) if isinstance(whose, str) else (LOOK, whose)
    row = await driver(tx.session).fetchrow(
        statement, of, _origin(tx), _place(tx), tx.now - WINDOW, tx.now - KNOWN_FOR
    )
    assert row is not None
    waits = max(_wait(tx, row[what], row[f"{what}_last"], free) for what, free in _counted(row))
    if waits > timedelta():
        seconds = math.ceil(waits.total_seconds())
        raise TooManyAttempts(retry_after=seconds)


def _counted(row: asyncpg.Record) -> tuple[tuple[str, int], ...]:
    """Which failures count, and how many of them are free of delay.

    Where the account has signed in with this browser from this network: those with this browser. Where it has signed in
    from this network with another browser: its failures from this network, or a guesser could change the browser's name
    without end. Otherwise: all failures of the account, and all from this network.
    """
    if row["known_browser"]:
        return (("own_browser", FREE_FOR_ACCOUNT),)
    if row["known_here"]:
        return (("own_here", FREE_FOR_ACCOUNT),)
    return ("own", FREE_FOR_ACCOUNT), ("here", FREE_FROM_PLACE)


def record(tx: Tx, whose: Whose, result: SignInResult, session_id: UUID | None = None) -> None:
    """Records the attempt: whose account, from where, and the result."""
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
    """Emits `SignedInFromNewPlace` where no recorded sign-in of the account has this network and browser."""
    place = _place(tx)
    if place is None:
        return
    row = await driver(tx.session).fetchrow(SIGNED_IN, account.id, place)
    assert row is not None
    # No sign-in is recorded: this is the first one, unless the records have expired.
    known = row["same"] or (not row["any"] and account.created_at > tx.now - RETENTION)
    if not known:
        agent = browser_and_system(tx.caller.agent)
        tx.emit(account, SignedInFromNewPlace(at=tx.now, address=tx.caller.address, agent=agent))


def _place(tx: Tx) -> str | None:
    """Network and browser. Digits are removed from the browser, so that a new version is not a new place."""
    origin = _origin(tx)
    return origin and f"{origin} {re.sub('[0-9.]+', '', tx.caller.agent or '')}"


async def recent_failures(tx: Tx, account_id: UUID) -> int:
    """How many attempts failed within `WINDOW`."""
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
    """The IPv4 address, or the /64 of an IPv6 one: a customer has as many addresses in it as they like."""
    try:
        address = ip_address(tx.caller.address or "")
    except ValueError:
        return tx.caller.address
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)
