"""What a technician's telephone sends when it is online again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from given_interventions import VISIT
from pydantic_core import from_json
from uuid_utils.compat import uuid7

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.act import ApplyActs

Json = dict[str, Any]
WRITTEN = {"findings": "vanne bloquée", "work_done": "vanne remplacée"}
LABOUR = [{"description": "remplacement", "minutes": 40}]
# Once for all tests: a minute that ends in the middle of one would move its times.
BEGAN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3)


def at(minutes: float) -> str:
    """A time of this morning: that many minutes after it began."""
    return (BEGAN + timedelta(minutes=minutes)).isoformat()


def act(minutes: float, kind: str, visit: UUID = VISIT, after: str | None = None, **fields: Any) -> Json:
    what = {kind: {"intervention_id": str(visit)} | fields}
    return {"id": str(uuid7()), "at": at(minutes), "after": after} | what


def move(minutes: float, to: str, visit: UUID = VISIT, **fields: Any) -> Json:
    return act(minutes, "move", visit, to=to, **fields)


def a_day(visit: UUID = VISIT) -> list[Json]:
    """A whole visit."""
    return [
        move(0, "accepted", visit),
        move(10, "en_route", visit),
        move(30, "on_site", visit),
        move(35, "in_progress", visit),
        act(70, "work", visit, solution="vanne remplacée", labour=LABOUR),
        move(80, "completed", visit),
        act(85, "report", visit, **WRITTEN),
        act(90, "sign", visit, refused="elle est partie"),
        act(95, "submit", visit),
    ]


def apply(*acts: Json) -> ApplyActs:
    return ApplyActs.model_validate({"acts": acts})


def told(outcome: Outcome) -> list[str]:
    """Of each act what became of it, or the code of its refusal."""
    assert outcome.problem is None, outcome.problem
    return [(act["problem"] or {}).get("code") or act["outcome"] for act in outcome.reply["acts"]]


async def seen(stage: Stage, id: UUID = VISIT) -> tuple[str, list[tuple[str, str]], Any]:
    """Of a visit what must not depend on how it was told: state, moves with their times, work."""
    row = await stage.database.pool.fetchrow("SELECT status, acts, work FROM intervention WHERE id = $1", id)
    assert row
    moves = [(one["to"], one["at"]) for one in from_json(row["acts"])]
    return row["status"], moves, row["work"] and from_json(row["work"])
