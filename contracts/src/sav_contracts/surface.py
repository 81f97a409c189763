"""The one table of routes and roles. The edge builds its routes from it, services check roles against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sav_contracts.actor import Role
from sav_contracts.auth import AcceptInvitation, AccountView, InviteUser, RegisterClient, SignIn
from sav_contracts.claims import (
    AssignTechnician,
    ClientView,
    OpenReclamation,
    QualifyReclamation,
    ReclamationView,
)
from sav_contracts.interventions import InterventionView, MoveIntervention, TechnicianView
from sav_contracts.messages import Asked, View


class Reach(StrEnum):
    """How far a role reaches: everybody's records, those of its own as client, those it works on."""

    ANY = "any"
    OWN = "own"
    MINE = "mine"
    ALL = "all"


class Serves(StrEnum):
    """What a row answers with: the owner's reply, or a part of the read model."""

    REPLY = "reply"
    PAGE = "list"
    ONE = "one"
    SELF = "self"
    TIMELINE = "timeline"


@dataclass(frozen=True)
class Row:
    """One method and path, what it does, and how far each role reaches. A role that is absent is refused."""

    feature: str
    route: str
    message: type[Asked[Any]] | type[View]
    reach: Mapping[Role, Reach]
    serves: Serves = Serves.REPLY
    status: int = 200
    filters: tuple[str, ...] = ()
    sorts: tuple[str, ...] = field(default=("created_at", "updated_at"))

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]


ANYBODY = dict.fromkeys(Role, Reach.ANY)
MANAGERS = {Role.MANAGER: Reach.ALL, Role.ADMIN: Reach.ALL}
CLIENT_AND_MANAGERS = {Role.CLIENT: Reach.OWN, **MANAGERS}
TECHNICIAN_AND_MANAGERS = {Role.TECHNICIAN: Reach.MINE, **MANAGERS}
CONCERNED = {**CLIENT_AND_MANAGERS, Role.TECHNICIAN: Reach.MINE}
THEMSELVES = dict.fromkeys((Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN), Reach.OWN)


def followed(
    feature: str,
    path: str,
    view: type[View],
    reach: Mapping[Role, Reach],
    filters: tuple[str, ...] = (),
    sorts: tuple[str, ...] = (),
) -> tuple[Row, Row]:
    """A view that is served as a list and one by one."""
    sorts = ("created_at", "updated_at", *sorts)
    return (
        Row(feature, f"GET {path}", view, reach, Serves.PAGE, filters=filters, sorts=sorts),
        Row(feature, f"GET {path}/{{{view.kind()}_id}}", view, reach, Serves.ONE),
    )


SURFACE: tuple[Row, ...] = (
    # auth
    Row("Sign up", "POST /auth/register", RegisterClient, ANYBODY, status=202),
    Row("Sign in", "POST /auth/login", SignIn, ANYBODY),
    Row("Accept an invitation", "POST /auth/invitations/accept", AcceptInvitation, ANYBODY),
    Row("Profile", "GET /me", AccountView, THEMSELVES, Serves.SELF),
    Row("Invite staff", "POST /users", InviteUser, {Role.ADMIN: Reach.ALL}, status=201),
    # claims
    *followed("Client profile", "/clients", ClientView, CONCERNED, sorts=("name",)),
    Row("Open a réclamation", "POST /reclamations", OpenReclamation, CLIENT_AND_MANAGERS, status=201),
    *followed(
        "Follow réclamations",
        "/reclamations",
        ReclamationView,
        CONCERNED,
        filters=("status", "priority", "problem_type", "coverage", "client_id", "technician_id", "reference"),
        sorts=("reference",),
    ),
    Row(
        "Timeline of a réclamation",
        "GET /reclamations/{reclamation_id}/timeline",
        ReclamationView,
        CONCERNED,
        Serves.TIMELINE,
        sorts=(),
    ),
    Row("Qualify", "POST /reclamations/{reclamation_id}/qualify", QualifyReclamation, MANAGERS),
    Row("Assign or reassign", "POST /reclamations/{reclamation_id}/assign", AssignTechnician, MANAGERS),
    # interventions
    *followed(
        "Follow interventions",
        "/interventions",
        InterventionView,
        CONCERNED,
        filters=("status", "client_id", "technician_id", "reclamation_id"),
    ),
    Row(
        "Move an intervention",
        "POST /interventions/{intervention_id}/moves",
        MoveIntervention,
        TECHNICIAN_AND_MANAGERS,
    ),
    *followed(
        "Technicians",
        "/technicians",
        TechnicianView,
        {**MANAGERS, Role.CLIENT: Reach.OWN, Role.TECHNICIAN: Reach.OWN},
        filters=("active",),
        sorts=("name",),
    ),
)
