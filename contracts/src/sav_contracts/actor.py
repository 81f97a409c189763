"""Who acts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sav_contracts.messages import PersonId

NOBODY = UUID(int=0)


class Role(StrEnum):
    """What a caller is. `anyone` has no token; `system` is SAV itself, reacting or seeding."""

    ANYONE = "anyone"
    CLIENT = "client"
    TECHNICIAN = "technician"
    MANAGER = "manager"
    ADMIN = "admin"
    SYSTEM = "system"


MANAGERS = frozenset({Role.MANAGER, Role.ADMIN})
STAFF = MANAGERS | {Role.TECHNICIAN}
PEOPLE = STAFF | {Role.CLIENT}


class Actor(BaseModel):
    """The caller of a command: the person's id, role and session, and when their token was issued."""

    model_config = ConfigDict(frozen=True)

    id: PersonId = NOBODY
    role: Role
    session: UUID | None = None
    issued_at: datetime | None = None
    # An admin who must set up a second factor and has not done so yet.
    enrolling: bool = False


ANYONE = Actor(role=Role.ANYONE)
SYSTEM = Actor(role=Role.SYSTEM)
