"""Asking the toys in ways that the test kit has no word for."""

import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from sav_chassis.commands.client import CommandEnvelope
from sav_chassis.errors import Problem
from sav_chassis.identity import Signer
from sav_chassis.service import Service
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.messages import RequestMessage

# Puts a service on a stage with empty tables.
OnStage = Callable[[Service], Awaitable[Stage]]


def refusal(outcome: Outcome) -> Problem:
    """The problem, where nothing may have happened."""
    assert outcome.problem, f"it was done: {outcome.reply}"
    assert outcome.events == []
    return outcome.problem


def wrong_fields(problem: Problem) -> list[str]:
    return [error.field for error in problem.errors or []]


def ask(
    stage: Stage, message: RequestMessage[Any], by: Actor | None = None, **changed: Any
) -> CommandEnvelope:
    """A command as the edge sends it, with what the test changes."""
    id = uuid7()
    usual: dict[str, Any] = {
        "id": id,
        "type": message.type_name(),
        "body": message.wire(),
        "deadline": time.time() + 2,
        "token": Signer(stage.settings.signing_key).token(by) if by else None,
        "correlation_id": id,
    }
    return CommandEnvelope.model_validate(usual | changed)


async def rows(stage: Stage, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Looks into the toys' database."""
    return [tuple(row) for row in await stage.database.pool.fetch(query, *arguments)]


async def filled_of(stage: Stage, number: int) -> int:
    """How full a box is."""
    return int(await stage.database.pool.fetchval("SELECT filled FROM box WHERE id = $1", UUID(int=number)))
