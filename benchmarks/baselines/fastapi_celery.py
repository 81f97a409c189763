"""FastAPI that writes, then tells Celery what follows: one task for each thing that SAV's services do."""

from typing import Annotated

from celery_tasks import copy, fact, notify
from fastapi import FastAPI
from fastapi_common import Me, session_of
from fastapi_write import Opening, Shown, kept
from sqlalchemy.ext.asyncio import AsyncSession

app = FastAPI()


@app.post("/api/reclamations", status_code=201, response_model=Shown)
async def opened(asked: Opening, me: Me, session: Annotated[AsyncSession, session_of("claims")]) -> Shown:
    async with session.begin():
        shown, logged = await kept(session, asked, me)
    doc = shown.model_dump(mode="json")
    for room in ("edge", "catalog", "calendar", "notifier"):
        copy.delay(room, "reclamation", doc, str(logged.id))
    fact.delay(doc)
    notify.delay(doc, str(logged.id))
    return shown
