"""Tries to sign in: recorded, counted, and made to wait where there were too many. Nobody is locked out for good."""

import hmac
import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, text

from sav_auth.agents import named
from sav_auth.model import Account, LoginAttempt
from sav_auth.model.attempt import KEPT
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
# Spelled out, as their index has it: behind a parameter it would not be found.
SIGNED_IN = text("result = 'signed_in'")
FAILURES: tuple[SignInResult, ...] = ("wrong_password", "wrong_code", "not_active")


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
    waits = timedelta()
    if isinstance(whose, str) or not await _is_known_here(tx, whose):
        waits = await _wait(tx, _tries_of(tx, whose), FREE_FOR_ACCOUNT)
    if origin := _origin(tx):
        waits = max(waits, await _wait(tx, LoginAttempt.origin == origin, FREE_FROM_PLACE))
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
        )
    )


async def tell_of_new_place(tx: Tx, account: Account) -> None:
    """Tells a person who signs in as none of their kept sign-ins did: from that network, with that browser."""
    if _origin(tx) is None:
        return
    same = and_(LoginAttempt.origin == _origin(tx), _plain(LoginAttempt.agent) == _plain(tx.caller.agent))
    known: bool | None = await tx.session.scalar(
        select(func.bool_or(same)).where(LoginAttempt.account_id == account.id, SIGNED_IN)
    )
    # None of any kind: it is the first, unless all of them are too long ago.
    if known is None:
        known = account.created_at > tx.now - KEPT
    if not known:
        agent = named(tx.caller.agent)
        tx.emit(SignedInFromNewPlace, account, at=tx.now, address=tx.caller.address, agent=agent)


def _plain(agent: Any) -> ColumnElement[str]:
    """Without its numbers: a newer version of a browser is no other one."""
    return func.regexp_replace(func.coalesce(agent, ""), "[0-9.]+", "", "g")


async def recent_failures(tx: Tx, account_id: UUID) -> int:
    """How many tries failed within the window."""
    return (await _failures(tx, _tries_of(tx, account_id)))[0]


async def _wait(tx: Tx, whose: ColumnElement[bool], free: int) -> timedelta:
    failures, last = await _failures(tx, whose)
    if failures < free or last is None:
        return timedelta()
    wait = min(timedelta(seconds=2 ** min(failures - free, 10)), LONGEST_WAIT)
    return last + wait - tx.now


async def _failures(tx: Tx, whose: ColumnElement[bool]) -> tuple[int, datetime | None]:
    recent = select(func.count(), func.max(LoginAttempt.at)).where(
        whose, LoginAttempt.at > tx.now - WINDOW, LoginAttempt.result.in_(FAILURES)
    )
    count, last = (await tx.session.execute(recent)).one()
    return count, last


async def _is_known_here(tx: Tx, account_id: UUID) -> bool:
    signed_in = exists().where(
        LoginAttempt.account_id == account_id,
        LoginAttempt.origin == _origin(tx),
        LoginAttempt.result == "signed_in",
        LoginAttempt.at > tx.now - KNOWN_FOR,
    )
    return bool(_origin(tx) and await tx.session.scalar(select(signed_in)))


def _tries_of(tx: Tx, whose: Whose) -> ColumnElement[bool]:
    if isinstance(whose, str):
        return LoginAttempt.email_mac == _mac(tx, whose)
    return LoginAttempt.account_id == whose


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
