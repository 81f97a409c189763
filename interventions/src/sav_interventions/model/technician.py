"""The people who go."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped

from sav_chassis.model import Aggregate
from sav_contracts.interventions.visit import TechnicianView


class Technician(Aggregate):
    """The card of somebody with a technician account."""

    __tablename__ = "technician"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    active: Mapped[bool]

    @property
    def technician_id(self) -> UUID:
        return self.id

    def view(self) -> TechnicianView:
        return TechnicianView.model_validate(self, from_attributes=True)
