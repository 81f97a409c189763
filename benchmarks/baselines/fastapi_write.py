"""FastAPI that opens a réclamation itself: token, shape, one transaction with the rows that claims writes, no broker."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

from fastapi import FastAPI
from fastapi_common import Me, Shown, session_of
from pydantic import BaseModel, Field
from sqlalchemy import ARRAY, JSON, DateTime, Sequence, Uuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
REFERENCES = Sequence("reclamation_reference")
NOW = Annotated[datetime, mapped_column(default=lambda: datetime.now(UTC))]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[Any] = {
        list[UUID]: ARRAY(Uuid),
        dict[str, Any]: JSON,
        datetime: DateTime(timezone=True),
    }


class Reclamation(Base):
    __tablename__ = "reclamation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[NOW]
    updated_at: Mapped[NOW]
    reference: Mapped[str]
    client_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    article: Mapped[str]
    problem_type: Mapped[str]
    description: Mapped[str]
    safety_answers: Mapped[dict[str, Any]]
    priority: Mapped[str] = mapped_column(default="normal")
    priority_reason: Mapped[str] = mapped_column(default="no danger was reported")
    coverage: Mapped[str] = mapped_column(default="unknown")
    assignment: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="submitted")


class Logged(Base):
    __tablename__ = "event_log"

    position: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(default=uuid4)
    type: Mapped[str] = mapped_column(default="claims.ReclamationCreated.v1")
    at: Mapped[NOW]
    kind: Mapped[str] = mapped_column(default="reclamation")
    subject: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(default=1)
    correlation_id: Mapped[UUID] = mapped_column(default=uuid4)
    causation_id: Mapped[UUID] = mapped_column(default=uuid4)
    actor_id: Mapped[UUID]
    actor_role: Mapped[str] = mapped_column(default="client")
    body: Mapped[str]
    persons: Mapped[list[UUID]]


class Outbox(Base):
    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(primary_key=True)


class Answered(Base):
    __tablename__ = "answered"

    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(primary_key=True, default="claims.OpenReclamation.v1")
    key: Mapped[str] = mapped_column(primary_key=True, default=lambda: str(uuid4()))
    fingerprint: Mapped[bytes]
    answer: Mapped[str]
    persons: Mapped[list[UUID]]


class Opening(BaseModel):
    article: str = Field(min_length=1, max_length=200)
    problem_type: str
    description: str = Field(min_length=1, max_length=5000)
    safety: dict[str, bool] = {"gas_smell": False, "co_alarm": False, "flooding": False}


@app.post("/api/reclamations", status_code=201, response_model=Shown)
async def opened(asked: Opening, me: Me, session: Annotated[AsyncSession, session_of("claims")]) -> Shown:
    async with session.begin():
        shown, logged = await kept(session, asked, me)
        session.add(Outbox(position=logged.position))
        fingerprint = hashlib.sha256(asked.model_dump_json().encode()).digest()
        answer = shown.model_dump_json()
        session.add(Answered(actor_id=me, fingerprint=fingerprint, answer=answer, persons=[me]))
    return shown


async def kept(session: AsyncSession, asked: Opening, me: UUID) -> tuple[Shown, Logged]:
    """The réclamation and its line in the log."""
    reclamation = Reclamation(
        reference=f"REC-{datetime.now(UTC).year}-{await session.scalar(REFERENCES):06}",
        client_id=me,
        article=asked.article,
        problem_type=asked.problem_type,
        description=asked.description,
        safety_answers=asked.safety,
    )
    session.add(reclamation)
    await session.flush()
    shown = Shown.model_validate({"technician_id": None, **vars(reclamation), "safety": asked.safety})
    body = json.dumps({"state": shown.model_dump(mode="json")})
    logged = Logged(subject=reclamation.id, actor_id=me, body=body, persons=[me])
    session.add(logged)
    await session.flush()
    return shown, logged
