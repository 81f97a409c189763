"""Photos of visits."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Role
from sav_contracts.files import StoredFile
from sav_contracts.interventions.visit_photo import VisitPhotoView


class VisitPhoto(Aggregate[VisitPhotoView]):
    """A photo that somebody of the staff added to a visit."""

    __tablename__ = "visit_photo"

    intervention_id: Mapped[UUID] = mapped_column(index=True)
    reclamation_id: Mapped[UUID | None]
    file: Mapped[StoredFile] = mapped_column(JsonColumn(StoredFile))
    by: Mapped[Role]
    shown: Mapped[bool]
