"""What telephones sent: the acts that were answered, and signatures that acts will name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base, JsonColumn
from sav_contracts.files import StoredFile
from sav_contracts.interventions.act import ActOutcome


class AnsweredAct(Base):
    """An act of a technician's telephone, by the id that it chose, and what was answered."""

    __tablename__ = "answered_act"

    technician_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    # SHA-256 of the act.
    fingerprint: Mapped[bytes]
    outcome: Mapped[ActOutcome] = mapped_column(JsonColumn(ActOutcome))
    answered_at: Mapped[datetime]


class Signature(Base):
    """A picture of a signature on a visit that a technician sent before the act that names it."""

    __tablename__ = "signature"

    intervention_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    file: Mapped[StoredFile] = mapped_column(JsonColumn(StoredFile))
    kept_at: Mapped[datetime]
