"""From a command's arrival to its reply: token, role, shape, key, one transaction, deadline."""

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

from sav_chassis import backoff
from sav_chassis.commands.client import CommandEnvelope, CommandReply
from sav_chassis.commands.keys import Keys
from sav_chassis.commands.roles import check_role
from sav_chassis.database import Database, driver, is_away, is_exhausted, is_transient, sqlstate, unavailable
from sav_chassis.envelope import MAX_BODY, Context
from sav_chassis.errors import (
    Conflict,
    DeadlinePassed,
    Fault,
    Invalid,
    KeyReused,
    NamesNothing,
    NotYet,
    NotYetKnown,
    RecordedRefusal,
    SavError,
    SessionOver,
    TooLarge,
    WrongFields,
)
from sav_chassis.model import Aggregate
from sav_chassis.refusals import where_named
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.telemetry import metrics, tracing
from sav_chassis.topology import COMMANDS
from sav_chassis.tx import OnCommit, Tx
from sav_contracts.actor import ANYONE, MANAGERS, SYSTEM, Actor, Role
from sav_contracts.labels import label
from sav_contracts.messages import Command, RequestMessage, View, persons
from sav_contracts.money import SENT
from sav_contracts.sentences import Text

log = structlog.get_logger()

# Bytes: files do not travel in commands.
MAX_COMMAND = 1_000_000
# Seconds to wait for a record of another service whose event may not have arrived yet.
PATIENCE = 1.0
TRIES = 4
QUERY_CANCELED = "57014"

# The actor, the command and its key: $1, $2, $3.
KEY = "WHERE actor_id = $1 AND command = $2 AND key = $3"
CLAIM_KEY = """
INSERT INTO answered (actor_id, command, key, fingerprint, persons) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING true"""
READ_KEY = f"SELECT fingerprint, answer FROM answered {KEY}"
KEEP_ANSWER = f"UPDATE answered SET answer = $4, persons = $5 {KEY}"
FREE_KEY = f"DELETE FROM answered {KEY}"
# The timeout also limits the wait for locks. The same statement checks that the token is not revoked.
BEGIN = text(
    """SELECT set_config('statement_timeout', :ms, true), EXISTS (
        SELECT FROM revoked WHERE subject IN (:person, :session) AND not_before > :issued_at) AS revoked"""
)


Key = tuple[UUID, str, str]


class ArrivedLate(DeadlinePassed):
    en = "The request arrived too late and was not carried out"
    fr = "La demande est arrivée trop tard et n’a pas été exécutée"


class NotInTime(DeadlinePassed):
    en = "The request was not finished in time, so it was not carried out"
    fr = "La demande n’a pas pu être exécutée à temps, elle ne l’a donc pas été"


class CommitCutOff(DeadlinePassed):
    retry_after: int = 2
    en = "The database was cut off while it committed; whether it was done is unknown: repeat it with the Idempotency-Key of this answer, and it is done once"
    fr = "La base de données a été coupée pendant l’enregistrement ; on ne sait pas si la demande a été exécutée : répétez-la avec l’Idempotency-Key de cette réponse, elle ne sera exécutée qu’une fois"


class CommandTooLarge(TooLarge):
    size: int
    most: int = MAX_COMMAND
    en = "The request has {size} bytes; at most {most} are taken"
    fr = "La requête compte {size} octets ; le maximum est de {most}"


class NotPossibleYet(Invalid):
    en = "This is not possible yet: a part of SAV is being updated"
    fr = "Ce n’est pas encore possible : une partie de SAV est en cours de mise à jour"


class ChangedAtOnce(Conflict):
    en = "Somebody else changed the same record; try again"
    fr = "Une autre personne a modifié le même enregistrement ; réessayez"


class SettingUp(NotYetKnown):
    kind: Text
    en = "Your {kind} is still being set up"
    fr = "Votre fiche ({kind}) est en cours de création"


class OnItsWay(NotYetKnown):
    kind: Text
    id: UUID
    en = "{kind} {id} is not known here yet"
    fr = "{kind} {id} : cette information n’est pas encore arrivée ici"


class CommandServer:
    """Answers the commands and queries of one service."""

    def __init__(self, service: Service, database: Database, settings: Settings, on_commit: OnCommit) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._keys = Keys(settings.public_keys, database)
        self._on_commit = on_commit
        self.patience = PATIENCE
        self._types = {message.type_name(): message for message in service.handlers}

    async def answer(self, ask: CommandEnvelope) -> CommandReply:
        """Never raises: an error becomes the reply, and its traceback is logged here."""
        started = time.perf_counter()
        sent = ask.type, COMMANDS, ask.id, ask.correlation_id, ask.traceparent
        with (
            structlog.contextvars.bound_contextvars(correlation_id=str(ask.correlation_id)),
            tracing.message("process", *sent) as span,
        ):
            try:
                answer = await self._with_retries(*await self._read(ask), span.carry(ask))
            except Exception as error:
                answer = _refusal(ask, error)
            status = answer.problem.status if answer.problem else 200
            if answer.problem and status >= 500:
                span.fail(answer.problem.code)
            seconds = time.perf_counter() - started
            log.info("command answered", command=ask.type, status=status, ms=round(seconds * 1000, 1))
            # An unknown name is the caller's text, so it must not become a label of a metric.
            metrics.answered(ask.type if ask.type in self._types else "unknown", status, seconds)
        return answer

    async def _read(self, ask: CommandEnvelope) -> tuple[RequestMessage[Any], Actor]:
        """The message and its actor. Raises the refusal where the request must not be handled."""
        if time.time() >= ask.deadline:
            raise ArrivedLate
        if len(ask.body) > MAX_COMMAND:
            raise CommandTooLarge(size=len(ask.body))
        actor = await self._keys.actor(ask.token) if ask.token else ANYONE
        message_type = self._types.get(ask.type)
        if message_type is None:
            raise NotPossibleYet
        if actor.role is not Role.SYSTEM:
            check_role(self._service.rows.get(message_type), actor)
        try:
            # At any depth: what only seems to be said, a danger with a letter missing, must not be lost.
            return message_type.model_validate_json(ask.body, extra="forbid", context=SENT), actor
        except ValidationError as error:
            raise WrongFields.from_pydantic(error) from None

    async def _with_retries(
        self, message: RequestMessage[Any], actor: Actor, ask: CommandEnvelope
    ) -> CommandReply:
        """Retries when a record has not arrived yet, or when another transaction was in the way."""
        started, times, tries = time.time(), 0, 0
        missing: NotYet | None = None
        while True:
            times += 1
            wait = backoff.pause(times, 0.02, 0.2)
            try:
                return await self._attempt(message, actor, ask)
            except NotYet as error:
                missing = error
                patient_until = (
                    ask.deadline if _is_own(missing, actor) else min(started + self.patience, ask.deadline)
                )
                if time.time() + wait >= patient_until:
                    raise _unknown(message, missing, actor) from None
            except Exception as error:
                if isinstance(error, NotInTime) or (
                    sqlstate(error) == QUERY_CANCELED and time.time() >= ask.deadline
                ):
                    # The record it waited for tells the caller more than that the time is over.
                    raise _unknown(message, missing, actor) if missing else NotInTime from None
                tries += 1
                if not is_transient(error):
                    raise
                if tries == TRIES:
                    if unavailable(error):
                        raise
                    raise ChangedAtOnce from error
            await asyncio.sleep(wait)

    async def _attempt(
        self, message: RequestMessage[Any], actor: Actor, ask: CommandEnvelope
    ) -> CommandReply:
        """One transaction: the handler's changes, its events and the stored reply."""
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

            async def suspended(work: Awaitable[Any]) -> Any:
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
                suspended=None if key else suspended,
                largest=MAX_BODY,
                floor=self._database.floor,
                row=self._service.rows.get(type(message)),
            )
            result = await self._service.handlers[type(message)](message, tx, actor)
            tx.check_expected()
            events = await tx.seal()
            if isinstance(result, RecordedRefusal):
                answer = CommandReply(problem=result.error.problem, events=events)
            else:
                answer = CommandReply(body=_reply(result, actor), events=events)
            if key and answer.problem:
                await plain.execute(FREE_KEY, *key)
            elif key:
                named = persons(message) | tx.named
                await plain.execute(KEEP_ANSWER, *key, answer.model_dump_json(), list(named))
            if time.time() >= ask.deadline:
                raise NotInTime
            await _commit(session)
        self._on_commit(tx)
        return answer


def _refusal(ask: CommandEnvelope, error: Exception) -> CommandReply:
    if isinstance(error, SavError):
        return CommandReply.refusal(error)
    if away := unavailable(error):
        log.warning(
            "command refused: dependency unavailable", command=ask.type, refusal=str(away), error=repr(error)
        )
        return CommandReply.refusal(away)
    log.error("command failed", command=ask.type, exc_info=error)
    return CommandReply.refusal(Fault())


async def _begin(session: AsyncSession, ask: CommandEnvelope, actor: Actor) -> None:
    left = max(1, math.ceil((ask.deadline - time.time()) * 1000))
    caller = {"person": actor.id, "session": actor.session, "issued_at": actor.issued_at}
    if (await session.execute(BEGIN, {"ms": str(left), **caller})).one().revoked:
        raise SessionOver


async def _in_time(work: Awaitable[Any], ask: CommandEnvelope) -> Any:
    try:
        async with asyncio.timeout(ask.deadline - time.time()):
            return await work
    except TimeoutError:
        raise NotInTime from None


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except Exception as error:
        # Where the server itself refused the commit, nothing was done.
        if not is_away(error) or is_exhausted(error):
            raise
        log.warning("database went away during a commit", error=repr(error))
        raise CommitCutOff from None


def _reply(result: Aggregate | BaseModel, actor: Actor) -> str | None:
    reply = result.view() if isinstance(result, Aggregate) else result
    if isinstance(reply, View) and actor.role is Role.CLIENT:
        shown = reply.for_client()
        return shown.model_dump_json() if shown else None
    return reply.model_dump_json()


def _is_own(missing: NotYet, actor: Actor) -> bool:
    """Whether the missing record is the caller's own profile or card, which is certain to follow their account."""
    return missing.id == actor.id and actor.role not in MANAGERS


def _unknown(message: RequestMessage[Any], missing: NotYet, actor: Actor) -> SavError:
    if missing.otherwise:
        return missing.otherwise
    if _is_own(missing, actor):
        return SettingUp(kind=label(missing.kind))
    if name := where_named(message.model_dump(), missing.id):
        return NamesNothing(field=name, kind=label(missing.kind), id=missing.id)
    return OnItsWay(kind=label(missing.kind), id=missing.id)


def _key(message: RequestMessage[Any], ask: CommandEnvelope, actor: Actor) -> Key | None:
    """The key of the stored reply; None for what is not stored: queries, secrets, and callers without an identity."""
    if not isinstance(message, Command) or message.secret or actor in (ANYONE, SYSTEM) or not ask.key:
        return None
    return actor.id, ask.type, ask.key


async def _claim(
    plain: "asyncpg.Connection[asyncpg.Record]", key: Key, message: RequestMessage[Any]
) -> CommandReply | None:
    """Takes the key, waiting while another transaction holds it. The stored reply where the command was done before."""
    fingerprint = hashlib.sha256(message.wire()).digest()
    if await plain.fetchval(CLAIM_KEY, *key, fingerprint, list(persons(message))):
        return None
    stored = await plain.fetchrow(READ_KEY, *key)
    assert stored is not None
    if stored["fingerprint"] != fingerprint:
        raise KeyReused
    return CommandReply.model_validate_json(stored["answer"])
