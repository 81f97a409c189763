"""Technicians' cards."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped

from sav_chassis.model import Aggregate
from sav_contracts.interventions.technician import TechnicianView


class Technician(Aggregate[TechnicianView]):
    """A technician's card; has the id of the technician's account."""

    __tablename__ = "technician"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    active: Mapped[bool]

    @property
    def technician_id(self) -> UUID:
        return self.id
