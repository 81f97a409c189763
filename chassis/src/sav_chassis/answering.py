"""From a command as it arrives to the answer: token, role, shape, key, one transaction, deadline."""

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis import metrics, tracing
from sav_chassis.asking import Answer, Ask
from sav_chassis.database import Database, driver, is_away, is_transient, sqlstate
from sav_chassis.envelope import Context
from sav_chassis.errors import (
    Conflict,
    DeadlinePassed,
    Invalid,
    KeyReused,
    NotSignedIn,
    NotYet,
    NotYetKnown,
    Refused,
    SavError,
    TooLarge,
    Unavailable,
)
from sav_chassis.keys import Keys
from sav_chassis.model import Aggregate
from sav_chassis.roles import check_role
from sav_chassis.service import Handler, Service
from sav_chassis.settings import Settings
from sav_chassis.topology import COMMANDS
from sav_chassis.tx import Committed, Tx
from sav_contracts.actor import ANYONE, MANAGERS, SYSTEM, Actor, Role
from sav_contracts.messages import Asked, Command, View, persons

log = structlog.get_logger()

# Bytes: files do not travel in commands.
MAX_COMMAND = 1_000_000
# Seconds that a foreign id which is not known here may still be on its way.
PATIENCE = 1.0
TRIES = 4
QUERY_CANCELED = "57014"

# Who, which command, under which key: $1, $2, $3.
KEY = "WHERE actor_id = $1 AND command = $2 AND key = $3"
CLAIM_KEY = """
INSERT INTO answered (actor_id, command, key, fingerprint, persons) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING true"""
READ_KEY = f"SELECT fingerprint, answer FROM answered {KEY}"
KEEP_ANSWER = f"UPDATE answered SET answer = $4, persons = $5 {KEY}"
FREE_KEY = f"DELETE FROM answered {KEY}"
# Also bounds the waiting for somebody else's lock. Whether the caller's token is good is seen in the same look.
BEGIN = text(
    """SELECT set_config('statement_timeout', :ms, true), EXISTS (
        SELECT FROM revoked WHERE subject IN (:person, :session) AND not_before > :issued_at) AS revoked"""
)


Key = tuple[UUID, str, str]


class Answerer:
    """Answers the commands and queries of one service."""

    def __init__(
        self, service: Service, database: Database, settings: Settings, committed: Committed
    ) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._keys = Keys(settings.public_keys, database)
        self._committed = committed
        self.patience = PATIENCE
        self._types = {message.type_name(): message for message in service.handlers}

    async def answer(self, ask: Ask) -> Answer:
        """Never raises: what goes wrong is the answer, and its traceback is logged here."""
        started = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(correlation_id=str(ask.correlation_id)),
            tracing.message(
                "process", ask.type, COMMANDS, ask.id, ask.correlation_id, ask.traceparent
            ) as span,
        ):
            answer = await self._answer(span.carry(ask))
            status = answer.problem.status if answer.problem else 200
            if answer.problem and status >= 500:
                span.fail(answer.problem.code)
            seconds = time.perf_counter() - started
            log.info("answered", command=ask.type, status=status, ms=round(seconds * 1000, 1))
            # Names that no service knows are anybody's.
            metrics.answered(ask.type if ask.type in self._types else "unknown", status, seconds)
        return answer

    async def _answer(self, ask: Ask) -> Answer:
        try:
            if time.time() >= ask.deadline:
                raise DeadlinePassed("it arrived too late and was not done")
            if len(ask.body) > MAX_COMMAND:
                raise TooLarge(f"the request has {len(ask.body)} bytes; at most {MAX_COMMAND} are taken")
            actor = await self._keys.actor(ask.token) if ask.token else ANYONE
            message_type = self._types.get(ask.type)
            if message_type is None:
                raise Invalid(f"{self._service.name} does not know {ask.type}")
            self._check_role(message_type, actor)
            return await self._patiently(_parse(message_type, ask.body), ask, actor)
        except SavError as error:
            return Answer.refusal(error)
        except Exception as error:
            if is_away(error):
                log.warning("database is away", command=ask.type, error=str(error))
                return Answer.refusal(Unavailable("the database is away; nothing was done", retry_after=2))
            log.exception("command failed", command=ask.type)
            return Answer.refusal(SavError("something went wrong on our side; it is logged"))

    def _check_role(self, message_type: type[Asked[Any]], actor: Actor) -> None:
        if actor.role is not Role.SYSTEM:
            check_role(self._service.rows.get(message_type), actor)

    async def _patiently(self, message: Asked[Any], ask: Ask, actor: Actor) -> Answer:
        """Tries again what met a record that is still on its way, or somebody else's transaction."""
        started, pause, tries = time.time(), 0.02, 0
        while True:
            try:
                return await self._once(message, ask, actor)
            except NotYet as missing:
                patient_until = (
                    ask.deadline if _is_own(missing, actor) else min(started + self.patience, ask.deadline)
                )
                if time.time() + pause >= patient_until:
                    raise _unknown(message, missing, actor) from None
            except Exception as error:
                if sqlstate(error) == QUERY_CANCELED and time.time() >= ask.deadline:
                    raise DeadlinePassed("it was not done in time, so it was not done") from None
                tries += 1
                if not is_transient(error):
                    raise
                if tries == TRIES:
                    raise Conflict("somebody else changed the same record; try again") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.2)

    async def _once(self, message: Asked[Any], ask: Ask, actor: Actor) -> Answer:
        context = Context(
            actor_id=actor.id,
            actor_role=actor.role,
            correlation_id=ask.correlation_id,
            causation_id=ask.id,
            traceparent=ask.traceparent,
        )
        async with AsyncSession(self._database.engine, expire_on_commit=False) as session:
            await _begin(session, ask, actor)
            plain = driver(session)
            key = _key(message, ask, actor)
            if key and (stored := await _claim(plain, key, message)):
                return stored

            async def between(work: Awaitable[Any]) -> Any:
                result = await _in_time(work, ask)
                await _begin(session, ask, actor)
                return result

            tx = Tx(
                session,
                self._settings,
                context,
                clock=self._database.clock,
                caller=ask.caller,
                expected=ask.expected,
                between=None if key else between,
            )
            answer = await self._handle(tx, message, actor)
            if key and answer.problem:
                await plain.execute(FREE_KEY, *key)
            elif key:
                named = persons(message) | tx.named
                await plain.execute(KEEP_ANSWER, *key, answer.model_dump_json(), list(named))
            if time.time() >= ask.deadline:
                raise DeadlinePassed("it was not done in time, so it was not done")
            await _commit(session)
        self._committed(tx)
        return answer

    async def _handle(self, tx: Tx, message: Asked[Any], actor: Actor) -> Answer:
        handler: Handler = self._service.handlers[type(message)]
        result = await handler(message, tx, actor)
        tx.check_expected()
        events = await tx.seal()
        if isinstance(result, Refused):
            return Answer(problem=result.error.problem, events=events)
        return Answer(body=_reply(result, actor), events=events)


async def _begin(session: AsyncSession, ask: Ask, actor: Actor) -> None:
    left = max(1, math.ceil((ask.deadline - time.time()) * 1000))
    caller = {"person": actor.id, "session": actor.session, "issued_at": actor.issued_at}
    if (await session.execute(BEGIN, {"ms": str(left), **caller})).one().revoked:
        raise NotSignedIn("the session has ended")


async def _in_time(work: Awaitable[Any], ask: Ask) -> Any:
    try:
        async with asyncio.timeout(ask.deadline - time.time()):
            return await work
    except TimeoutError:
        raise DeadlinePassed("it was not done in time, so it was not done") from None


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("database went away during a commit", error=repr(error))
        raise DeadlinePassed(
            "the database was cut off while it committed; whether it was done is unknown: "
            "repeat it with the Idempotency-Key of this answer, and it is done once",
            retry_after=2,
        ) from None


def _parse(message_type: type[Asked[Any]], body: bytes) -> Asked[Any]:
    try:
        return message_type.model_validate_json(body)
    except ValidationError as error:
        raise Invalid.from_pydantic(error) from None


def _reply(result: Aggregate | BaseModel, actor: Actor) -> str | None:
    reply = result.view() if isinstance(result, Aggregate) else result
    if isinstance(reply, View) and actor.role is Role.CLIENT:
        shown = reply.for_client()
        return shown.model_dump_json() if shown else None
    return reply.model_dump_json()


def _is_own(missing: NotYet, actor: Actor) -> bool:
    """Whether it is the caller's own profile or card, which follows their account for sure."""
    return missing.id == actor.id and actor.role not in MANAGERS


def _unknown(message: Asked[Any], missing: NotYet, actor: Actor) -> SavError:
    if missing.otherwise:
        return missing.otherwise
    if _is_own(missing, actor):
        return NotYetKnown(f"your {missing.kind} is still being set up", retry_after=2)
    if name := _where(message.model_dump(), missing.id):
        return Invalid.field(name, f"there is no {missing.kind} {missing.id}")
    return NotYetKnown(str(missing), retry_after=2)


def _where(value: Any, id: UUID) -> str | None:
    """The dotted name under which this id was given, at any depth (`parts.0.article_id`)."""
    if value == id:
        return ""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if (within := _where(item, id)) is not None:
            return f"{name}.{within}".rstrip(".")
    return None


def _key(message: Asked[Any], ask: Ask, actor: Actor) -> Key | None:
    """Names the stored answer; None for what is not kept: queries, secrets, and callers whom nothing identifies."""
    if not isinstance(message, Command) or message.secret or actor in (ANYONE, SYSTEM) or not ask.key:
        return None
    return actor.id, ask.type, ask.key


async def _claim(plain: "asyncpg.Connection[asyncpg.Record]", key: Key, message: Asked[Any]) -> Answer | None:
    """Takes the key, waiting for whoever holds it; the stored answer where the command was done before."""
    fingerprint = hashlib.sha256(message.wire()).digest()
    if await plain.fetchval(CLAIM_KEY, *key, fingerprint, list(persons(message))):
        return None
    stored = await plain.fetchrow(READ_KEY, *key)
    assert stored is not None
    if stored["fingerprint"] != fingerprint:
        raise KeyReused("this Idempotency-Key was used with another request")
    return Answer.model_validate_json(stored["answer"])
