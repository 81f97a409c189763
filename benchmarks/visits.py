"""A service that reacts as interventions does, reduced to its essence: an assignment makes one row, a visit."""

from datetime import datetime
from uuid import UUID

from news import database, prepared
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx
from sav_contracts.claims.reclamation import TechnicianAssigned

ROOM = "interventions"
QUEUE = "interventions.events"
TABLE = """CREATE TABLE IF NOT EXISTS planned_visit (
    id uuid PRIMARY KEY, reclamation_id uuid NOT NULL, reclamation_reference text NOT NULL,
    technician_id uuid NOT NULL, starts timestamptz)"""


class PlannedVisit(Base):
    __tablename__ = "planned_visit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reclamation_id: Mapped[UUID]
    reclamation_reference: Mapped[str]
    technician_id: Mapped[UUID]
    starts: Mapped[datetime | None]


visits = Service(ROOM)


@visits.on(TechnicianAssigned)
async def plan_visit(event: TechnicianAssigned, tx: Tx) -> None:
    tx.add(planned(tx.new_id(), event))


def planned(id: UUID, event: TechnicianAssigned) -> PlannedVisit:
    return PlannedVisit(
        id=id,
        reclamation_id=event.state.id,
        reclamation_reference=event.state.reference,
        technician_id=event.technician_id,
        starts=event.slot.start if event.slot else None,
    )


async def with_table(settings: Settings, *rooms: str) -> Settings:
    """The databases of this room, with the table of visits, and of others."""
    settings = await prepared(settings, ROOM, *rooms)
    async with database(settings, ROOM) as connection:
        await connection.execute(TABLE)
    return settings
