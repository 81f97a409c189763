"""Refusals of single items, in an answer about many."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from sav_chassis.errors import NamesNothing, NotYet, Problem, SavError
from sav_contracts.labels import label
from sav_contracts.refused import Refused, RefusedField


def refused(refusal: SavError) -> Refused:
    """The refusal in the form in which it stands among other answers, in both languages."""
    problem = refusal.problem
    return Refused(
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        moves=problem.moves,
        errors=_errors(problem),
        french=problem.french.detail if problem.french else None,
    )


def _errors(problem: Problem) -> list[RefusedField] | None:
    """What is wrong, field by field, in both languages."""
    french = problem.in_french().errors
    if problem.errors is None or french is None:
        return None
    return [
        RefusedField(field=one.field, message=one.message, french=other.message if problem.french else None)
        for one, other in zip(problem.errors, french, strict=True)
    ]


def unknown(missing: NotYet, item: BaseModel, otherwise: str) -> SavError:
    """As the single command is answered once it has waited; `otherwise` is the field where none holds the id."""
    if missing.otherwise:
        return missing.otherwise
    field = where_named(item.model_dump(), missing.id) or otherwise
    return NamesNothing(field=field, kind=label(missing.kind), id=missing.id)


def where_named(value: Any, id: UUID) -> str | None:
    """The dotted name of the field that holds this id, at any depth (`parts.0.article_id`)."""
    if value == id:
        return ""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if (within := where_named(item, id)) is not None:
            return f"{name}.{within}".rstrip(".")
    return None
