"""FastAPI as its tutorial has it: token, ORM session, record, response model."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, HTTPException
from fastapi_common import Me, Shown, session_of
from sqlalchemy import JSON, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class View(Base):
    __tablename__ = "view"

    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    client_id: Mapped[UUID | None]
    technician_id: Mapped[UUID | None]
    status: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    doc_client: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Reclamation(Shown):
    product_id: UUID | None
    warranty: dict[str, Any] | None
    resolution: str | None


@app.get("/api/reclamations/{id}", response_model=Reclamation)
async def one(id: UUID, me: Me, session: Annotated[AsyncSession, session_of("edge")]) -> Any:
    query = select(View).where(View.kind == "reclamation", View.id == id, View.client_id == me)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None or found.doc_client is None:
        raise HTTPException(404)
    return found.doc_client
