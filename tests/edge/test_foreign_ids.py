"""Whoever asks with the id of somebody else's record is answered as with an id that nobody has, and as late."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from recipes import Scene, call
from stories import items

from sav_contracts.actor import Role
from sav_contracts.surface import SURFACE, MessageRow, Row
from sav_contracts.visibility import ALL
from sav_edge.read_model import KINDS, VIEWS

# What a field is the id of, where its name does not say so.
KIND = {
    "user": "account",
    "compatible_parts": "article",
    "parts.article": "article",
    "counts.article": "article",
    "lines.article": "article",
    "target": "reclamation",
    **dict.fromkeys(
        ("items.assign.reclamation", "items.qualify.reclamation", "items.reject.reclamation"), "reclamation"
    ),
    **dict.fromkeys(
        (
            "acts.move.intervention",
            "acts.work.intervention",
            "acts.report.intervention",
            "acts.sign.intervention",
            "acts.submit.intervention",
            "acts.id",
            "acts.after",
        ),
        "intervention",
    ),
    "acts.work.parts.article": "article",
    "items.assign.technician": "technician",
    "items.qualify.product": "product",
    "items.conflict": "conflict",
    **dict.fromkeys(("items.technician", "times.technician"), "technician"),
    # A cover is part of its product.
    "cover": "product",
    "checkout": "payment",
    "mentions": "account",
}
# Names what its reader has read; no record has it.
NO_RECORD = {"seen"}
# Seconds: what may still be on its way is waited for a second, with pauses.
LATE = 0.7


def id_fields(form: Any, name: str = "") -> Iterator[str]:
    """The dotted names of all ids in a message."""
    if form is UUID:
        yield name
    elif isinstance(form, type) and issubclass(form, BaseModel):
        for inner, field in form.model_fields.items():
            yield from id_fields(field.annotation, f"{name}.{inner}".strip("."))
    else:
        for part in get_args(form):
            yield from id_fields(part, name)


def kind_of(field: str) -> str:
    name = field.removesuffix("_id")
    return KIND.get(name, name)


def hidden(field: str, role: Role) -> bool:
    """Whether there are records of this kind that this role does not see."""
    view = KINDS.get(kind_of(field))
    return view is None or VIEWS[role][view] != ALL


CASES = [
    (row, role, field)
    for row in SURFACE
    if isinstance(row, MessageRow)
    for role in row.roles - {Role.SYSTEM}
    for field in dict.fromkeys(id_fields(row.message))
    if field not in NO_RECORD and hidden(field, role)
]


def named(case: tuple[Row, Role, str]) -> str:
    row, role, field = case
    return f"{field} of {row.route} as {role}"


async def foreign(field: str, role: Role, scene: Scene) -> str:
    """The id of a record of the far side, or of an admin, that this role does not see."""
    kind = kind_of(field)
    if role is Role.MANAGER and kind == "account":
        return scene.admin.id
    if role is Role.MANAGER and kind == "notification":
        about = {"user_id": scene.admin.id, "category": "account"}
        return str((await items(scene.admin, "/notifications", **about))[0]["id"])
    return str(scene.record(scene.far, role, kind)["id"])


async def told(case: tuple[Row, Role, str], id: str, scene: Scene) -> tuple[Any, bool]:
    """Status and problem without the id; and whether they came late."""
    row, role, field = case
    what = await call(row, scene, scene.near, role, fresh=False)
    path, sent = what.path, what.sent
    if f"{{{field}}}" in row.path:
        ids = dict(zip(re.findall(r"{(\w+)}", row.path), re.findall(r"[0-9a-f-]{36}", path), strict=True))
        path = re.sub(r"{(\w+)}", lambda name: (ids | {field: id})[name[1]], row.path)
    else:
        [how] = {"params", "json", "data"} & sent.keys()
        sent = sent | {how: sent[how] | {field: id}}
    began = time.monotonic()
    answer = await scene.who(role).ask(row.method, path, **sent)
    # A file is looked at by a process of its own before anything else.
    late = time.monotonic() - began > LATE + 0.8 * ("files" in sent)
    assert answer.status_code in (404, 409, 422), answer.text
    retry = answer.headers.get("retry-after")
    return (answer.status_code, retry, answer.text.replace(id, "…")), late


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_somebody_elses_record_is_answered_as_none(case: tuple[Row, Role, str], scene: Scene) -> None:
    _, role, field = case
    theirs = await foreign(field, role, scene)
    for _ in range(4):  # a busy machine is late now and then
        # Both at once: the second that each of them may take passes for both.
        known, unknown = await asyncio.gather(told(case, theirs, scene), told(case, str(uuid4()), scene))
        if known == unknown:
            break
    assert known == unknown
