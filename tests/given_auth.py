"""What auth tests start from: people with accounts, and where they sign in from."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cheap_passwords import CHEAP
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from sav_auth.model import Account
from sav_chassis.envelope import INSIDE, Caller
from sav_chassis.identity import Links, Verifier
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AcceptInvitation
from sav_contracts.auth.session import RefreshSession, SignIn

PASSWORD = SecretStr("correct horse battery")
WRONG = SecretStr("not the password")
ANOTHER = SecretStr("staple of the battery")
EMAIL = "lea@example.com"
HOME = Caller("192.0.2.7", "Firefox on Léa's laptop")
AWAY = Caller("198.51.100.9", "curl")
# As cheap as it can be: these tests are not about the hashing.
HASH = CHEAP.hash(PASSWORD.get_secret_value())


async def account(stage: Stage, role: Role = Role.CLIENT, email: str = EMAIL, **fields: Any) -> Actor:
    """Somebody who may sign in, as they act without a session."""
    usual = {"name": "Léa Bernard", "locale": "fr", "status": "active", "password_hash": HASH}
    who = Actor(id=uuid7(), role=role)
    await stage.given(Account(id=who.id, email=email, role=role, **(usual | fields)))
    return who


def sign_in(email: str = EMAIL, password: SecretStr = PASSWORD, code: str | None = None) -> SignIn:
    return SignIn(email=email, password=password, code=SecretStr(code) if code else None)


@dataclass
class SignedIn:
    """Somebody at work in a session."""

    actor: Actor
    refresh_token: str
    reply: dict[str, Any]

    @property
    def session_id(self) -> UUID:
        assert self.actor.session
        return self.actor.session


async def signed_in(
    stage: Stage,
    email: str = EMAIL,
    caller: Caller = INSIDE,
    code: str | None = None,
    password: SecretStr = PASSWORD,
) -> SignedIn:
    return session(stage, await stage.when(sign_in(email, password, code), caller=caller))


async def refreshed(stage: Stage, token: str, caller: Caller = INSIDE) -> Outcome:
    return await stage.when(RefreshSession(refresh_token=SecretStr(token)), caller=caller)


def session(stage: Stage, outcome: Outcome) -> SignedIn:
    """What a sign-in or a refresh has answered."""
    assert outcome.problem is None, outcome.problem
    actor = Verifier(stage.settings.public_keys).actor(outcome.reply["access_token"])
    return SignedIn(actor, outcome.reply["refresh_token"], outcome.reply)


def link(stage: Stage, purpose: str, grant_id: UUID | None) -> SecretStr:
    """What stands in the link that the notifier sends."""
    assert grant_id
    return SecretStr(Links(stage.settings.link_secret).token(purpose, grant_id))


def acceptance(
    stage: Stage, grant_id: UUID, purpose: str = "invitation", password: SecretStr = PASSWORD, **more: str
) -> AcceptInvitation:
    return AcceptInvitation(token=link(stage, purpose, grant_id), password=password, **more)


def status(outcome: Outcome) -> int:
    assert outcome.problem, outcome.reply
    return outcome.problem.status


def refused(outcome: Outcome, status: int, code: str) -> None:
    assert outcome.problem, outcome.reply
    assert (outcome.problem.status, outcome.problem.code) == (status, code), outcome.problem


def wrong_fields(outcome: Outcome) -> list[str]:
    refused(outcome, 422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]
