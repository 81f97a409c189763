"""For every row of the surface, a request that works for whoever may make it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from stories import assigned, opened, qualified
from system import PASSWORD, Person, System
from uuid_utils.compat import uuid7

from sav_contracts.actor import Role
from sav_contracts.claims import ReclamationForClient, ReclamationView
from sav_contracts.interventions import InterventionForClient, InterventionView
from sav_contracts.messages import Asked
from sav_contracts.surface import Row

# What a client reads in place of what staff read. Said again here, so that the edge cannot be wrong unnoticed.
CLIENT_FORMS: dict[type[BaseModel], type[BaseModel]] = {
    ReclamationView: ReclamationForClient,
    InterventionView: InterventionForClient,
}


@dataclass
class Side:
    """A client, the technician who works for them, and the records that name both, by kind."""

    client: Person
    technician: Person
    records: dict[str, str] = field(default_factory=dict)


@dataclass
class Scene:
    """Two sides that have nothing to do with each other, and those who see both."""

    system: System
    manager: Person
    admin: Person
    near: Side
    far: Side

    def who(self, role: Role) -> Person:
        """Somebody in this role, of the near side where there are two."""
        return {
            Role.ANYONE: self.system.visitor(),
            Role.CLIENT: self.near.client,
            Role.TECHNICIAN: self.near.technician,
            Role.MANAGER: self.manager,
            Role.ADMIN: self.admin,
        }[role]


@dataclass(frozen=True)
class Call:
    """A path under /api and a body; for a list, the id that it shows to whoever may see that side."""

    path: str
    json: dict[str, Any] | None = None
    shows: str | None = None


Recipe = Callable[[Scene, Side, Role], Awaitable[Call]]


async def scene(system: System) -> Scene:
    """Everybody of the cast, each side with a réclamation under way."""
    manager, admin = await system.manager(), await system.admin()
    near = Side(await system.client(), await system.technician("Karim Haddad"))
    far = Side(await system.client(), await system.technician("Sofia Martin"))
    for side in (near, far):
        claim, visit = await assigned(side.client, manager, side.technician)
        side.records = {
            "reclamation": claim["id"],
            "intervention": visit["id"],
            "client": side.client.id,
            "technician": side.technician.id,
        }
    return Scene(system, manager, admin, near, far)


def shape(row: Row, role: Role) -> type[BaseModel]:
    """The model that this role's answer must have the fields of."""
    model = row.message.reply_type() if issubclass(row.message, Asked) else row.message
    return CLIENT_FORMS.get(model, model) if role is Role.CLIENT else model


def listed(path: str, kind: str) -> Recipe:
    async def recipe(scene: Scene, side: Side, role: Role) -> Call:
        return Call(f"{path}?limit=200", shows=side.records[kind])

    return recipe


def shown(path: str, kind: str, below: str = "") -> Recipe:
    async def recipe(scene: Scene, side: Side, role: Role) -> Call:
        return Call(f"{path}/{side.records[kind]}{below}")

    return recipe


async def register(scene: Scene, side: Side, role: Role) -> Call:
    return Call(
        "/auth/register", {"email": f"{uuid7()}@example.com", "password": PASSWORD, "name": "Léa Bernard"}
    )


async def sign_in(scene: Scene, side: Side, role: Role) -> Call:
    return Call("/auth/login", {"email": side.client.email, "password": PASSWORD})


async def accept_invitation(scene: Scene, side: Side, role: Role) -> Call:
    _, link = await scene.system.invited(Role.TECHNICIAN)
    return Call("/auth/invitations/accept", {"token": link, "password": PASSWORD})


async def read_profile(scene: Scene, side: Side, role: Role) -> Call:
    return Call("/me")


async def invite(scene: Scene, side: Side, role: Role) -> Call:
    return Call("/users", {"email": f"{uuid7()}@example.com", "name": "Omar", "role": "technician"})


async def open_reclamation(scene: Scene, side: Side, role: Role) -> Call:
    body = {"article": "Mitigeur", "problem_type": "leak", "description": "il goutte"}
    return Call("/reclamations", body | {"client_id": side.client.id})


async def qualify(scene: Scene, side: Side, role: Role) -> Call:
    claim = await opened(side.client)
    return Call(f"/reclamations/{claim['id']}/qualify", {"priority": "normal", "coverage": "covered"})


async def assign(scene: Scene, side: Side, role: Role) -> Call:
    claim = await qualified(side.client, scene.manager)
    return Call(f"/reclamations/{claim['id']}/assign", {"technician_id": side.technician.id})


async def move(scene: Scene, side: Side, role: Role) -> Call:
    _, visit = await assigned(side.client, scene.manager, side.technician)
    return Call(f"/interventions/{visit['id']}/moves", {"to": "accepted"})


RECIPES: dict[str, Recipe] = {
    "POST /auth/register": register,
    "POST /auth/login": sign_in,
    "POST /auth/invitations/accept": accept_invitation,
    "GET /me": read_profile,
    "POST /users": invite,
    "POST /reclamations": open_reclamation,
    "POST /reclamations/{reclamation_id}/qualify": qualify,
    "POST /reclamations/{reclamation_id}/assign": assign,
    "GET /reclamations/{reclamation_id}/timeline": shown("/reclamations", "reclamation", "/timeline"),
    "POST /interventions/{intervention_id}/moves": move,
}
for kind in ("client", "reclamation", "intervention", "technician"):
    RECIPES[f"GET /{kind}s"] = listed(f"/{kind}s", kind)
    RECIPES[f"GET /{kind}s/{{{kind}_id}}"] = shown(f"/{kind}s", kind)
