"""The demo people, made by the same commands as anybody."""

from typing import NamedTuple

from pydantic import SecretStr

from sav_chassis.asking import Answer, CommandClient
from sav_chassis.identity import Links, Signer
from sav_chassis.settings import Settings
from sav_chassis.topology import connect
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth.account import AcceptInvitation, InviteUser, RegisterClient, StaffRole, UserInvited
from sav_contracts.auth.session import SignIn
from sav_ops.home import Problem

PASSWORD = "sav-demo-2026"
STAFF: tuple[tuple[StaffRole, str, str], ...] = (
    (Role.TECHNICIAN, "karim@example.com", "Karim Haddad"),
    (Role.TECHNICIAN, "sofia@example.com", "Sofia Martin"),
    (Role.MANAGER, "marie@example.com", "Marie Laurent"),
    (Role.ADMIN, "alex@example.com", "Alex Dubois"),
)
LEA = "lea@example.com"


class DemoLogin(NamedTuple):
    role: str
    email: str
    password: str


async def seed(settings: Settings) -> list[DemoLogin]:
    """Makes the demo people that are missing; answers all their logins. Refused in production."""
    if settings.environment == "production":
        raise Problem("Demo people are not for production: ./sav up --no-demo")
    connection = await connect(settings.broker_url, "demo")
    client = CommandClient(connection)
    await client.start()
    try:
        await _client(client, LEA, "Léa Bernard")
        for role, email, name in STAFF:
            await _staff(client, settings, role, email, name)
    finally:
        await client.close()
        await connection.close()
    return [
        DemoLogin("client", LEA, PASSWORD),
        *(DemoLogin(role, email, PASSWORD) for role, email, _ in STAFF),
    ]


async def _client(client: CommandClient, email: str, name: str) -> None:
    _done(await client.ask(RegisterClient(email=email, password=SecretStr(PASSWORD), name=name), 10))


async def _staff(client: CommandClient, settings: Settings, role: StaffRole, email: str, name: str) -> None:
    if (await client.ask(SignIn(email=email, password=SecretStr(PASSWORD)), 10)).problem is None:
        return
    token = Signer(settings.signing_key).token(SYSTEM, seconds=60)
    invited = _done(await client.ask(InviteUser(email=email, name=name, role=role), 10, token=token))
    event = next(event for envelope in invited.events if isinstance(event := envelope.event(), UserInvited))
    link = Links(settings.link_secret).token("invitation", event.grant_id)
    _done(await client.ask(AcceptInvitation(token=SecretStr(link), password=SecretStr(PASSWORD)), 10))


def _done(answer: Answer) -> Answer:
    if answer.problem:
        raise Problem(f"A demo person could not be made: {answer.problem.detail}")
    return answer
