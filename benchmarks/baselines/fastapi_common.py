"""What both FastAPI baselines have: the token verified for each request, a session for each request."""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from sav_chassis.settings import Settings

settings = Settings()
KEY: Any = load_pem_public_key(next(iter(settings.public_keys.values())).encode())
POOL = int(os.environ["POOL"])
bearer = HTTPBearer()


async def me(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> UUID:
    """The caller's id, from a valid token."""
    try:
        claims = jwt.decode(credentials.credentials, KEY, algorithms=["EdDSA"], issuer="sav", audience="sav")
    except jwt.PyJWTError as error:
        raise HTTPException(401, "the token is not valid") from error
    return UUID(claims["sub"])


def session_of(room: str) -> Any:
    """A dependency: a session on this room's database."""
    url = settings.database(room).replace("postgresql://", "postgresql+asyncpg://")
    maker = async_sessionmaker(
        create_async_engine(url, pool_size=POOL, max_overflow=0), expire_on_commit=False
    )

    async def session() -> AsyncIterator[AsyncSession]:
        async with maker() as one:
            yield one

    return Depends(session)


Me = Annotated[UUID, Depends(me)]


class Shown(BaseModel):
    """A réclamation as it is answered."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    reference: str
    client_id: UUID
    technician_id: UUID | None
    article: str
    problem_type: str
    description: str
    safety: dict[str, bool]
    status: str
    coverage: str
