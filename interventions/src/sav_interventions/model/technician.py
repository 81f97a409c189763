"""Technicians' cards."""

from collections.abc import Collection
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.interventions.technician import Skill, TechnicianView, lacking


class Technician(Aggregate[TechnicianView]):
    """A technician's card; has the id of the technician's account."""

    __tablename__ = "technician"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    # Whether the account is active and a technician's. Only events of the account change it, and nothing else does.
    account_active: Mapped[bool]
    # Whether a manager set them inactive, which no event of the account undoes.
    set_inactive: Mapped[bool] = mapped_column(default=False)
    skills: Mapped[list[Skill]] = mapped_column(JsonColumn(list[Skill]), default=[])
    zone: Mapped[list[str]] = mapped_column(JsonColumn(list[str]), default=[])

    @property
    def technician_id(self) -> UUID:
        return self.id

    @property
    def active(self) -> bool:
        """Whether they take visits."""
        return self.account_active and not self.set_inactive

    def lacks(self, needed: Collection[Skill]) -> list[Skill]:
        """Which of these skills they have not; who declared none can do everything."""
        return lacking(self.skills, needed)
