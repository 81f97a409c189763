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
    """The caller of a command: the person's id, the role they act in, their session, and since when their token is."""

    model_config = ConfigDict(frozen=True)

    id: PersonId = NOBODY
    role: Role
    session: UUID | None = None
    issued_at: datetime | None = None
    # An admin who has yet to set up the second factor that is asked of admins.
    enrolling: bool = False


ANYONE = Actor(role=Role.ANYONE)
SYSTEM = Actor(role=Role.SYSTEM)
