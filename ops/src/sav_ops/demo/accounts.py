"""The demo people, created by the same commands as anybody."""

from typing import NamedTuple

from pydantic import SecretStr

from sav_chassis.commands.client import CommandClient, CommandReply
from sav_chassis.identity import Links, Signer
from sav_chassis.settings import Settings
from sav_chassis.topology import connect
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import (
    AcceptInvitation,
    InviteUser,
    RegisterClient,
    StaffRole,
    UserInvited,
    UserRegistered,
    VerifyEmail,
)
from sav_contracts.auth.session import SignIn
from sav_contracts.demo import LEA, PASSWORD, STAFF
from sav_ops.home import OpsError


class DemoLogin(NamedTuple):
    role: str
    email: str
    password: str


async def seed(settings: Settings) -> list[DemoLogin]:
    """Create the demo people that are missing; return all their logins. OpsError in production."""
    check_allowed(settings)
    connection = await connect(settings.broker_url, "demo")
    client = CommandClient(connection)
    await client.start()
    try:
        await _client(client, settings, LEA, "Léa Bernard")
        for role, email, name in STAFF:
            await _staff(client, settings, role, email, name)
    finally:
        await client.close()
        await connection.close()
    return [
        DemoLogin("client", LEA, PASSWORD),
        *(DemoLogin(role, email, PASSWORD) for role, email, _ in STAFF),
    ]


def check_allowed(settings: Settings) -> None:
    """Raise an OpsError in production, before anything is started for demo people."""
    if settings.environment == "production":
        raise OpsError("Demo people are not for production: ./sav up --no-demo")


async def _client(client: CommandClient, settings: Settings, email: str, name: str) -> None:
    if await _may_sign_in(client, email):
        return
    asked = RegisterClient(email=email, password=SecretStr(PASSWORD), name=name)
    registered = _done(await client.ask(asked, 10))
    # None where somebody has closed the account.
    for event in (envelope.event() for envelope in registered.events):
        if isinstance(event, UserRegistered) and event.grant_id:
            link = Links(settings.link_secret).token("verify-email", event.grant_id)
            _done(await client.ask(VerifyEmail(token=SecretStr(link)), 10))


async def _may_sign_in(client: CommandClient, email: str) -> bool:
    """Whether nothing is left to do: who signs up again is warned by mail."""
    return (await client.ask(SignIn(email=email, password=SecretStr(PASSWORD)), 10)).problem is None


async def _staff(client: CommandClient, settings: Settings, role: StaffRole, email: str, name: str) -> None:
    if await _may_sign_in(client, email):
        return
    token = Signer(settings.signing_key).token(SYSTEM, seconds=60)
    invited = _done(await client.ask(InviteUser(email=email, name=name, role=role), 10, token=token))
    event = next(event for envelope in invited.events if isinstance(event := envelope.event(), UserInvited))
    link = Links(settings.link_secret).token("invitation", event.grant_id)
    _done(await client.ask(AcceptInvitation(token=SecretStr(link), password=SecretStr(PASSWORD)), 10))


def _done(answer: CommandReply) -> CommandReply:
    if answer.problem:
        raise OpsError(
            f"A demo person could not be made: {answer.problem.detail}. Without them: ./sav up --no-demo"
        )
    return answer
