"""The chassis' tables are the chassis' own: rooms ask it for what is in them, and ops says its statements in one place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sav_ops.rooms import EDGE, SERVICES

ROOT = Path(__file__).parent.parent.parent
CREATED = re.compile(r"CREATE TABLE (\w+)")
# Besides the room's own SQL: the edge's read side is made of the table of views; ops reads names from the edge's pages.
ALLOWED = {EDGE: {"view"}, "ops": {"view"}}
# Where ops has its statements, and where it compares whole tables.
STATEMENTS, VERIFYING = "statements.py", "verify/"


def tables() -> set[str]:
    migrations = (ROOT / "chassis/src/sav_chassis/migrations/versions").glob("*.py")
    return {name for migration in migrations for name in CREATED.findall(migration.read_text())}


def sql(file: Path) -> Iterator[str]:
    """Every text of a module that is not what a docstring says."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def used(room: str) -> set[tuple[str, str]]:
    """The files of a room with the chassis' tables that they name in SQL."""
    named = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|LOCK)\s+(?:public\.)?({'|'.join(tables())})\b")
    source = ROOT / room / f"src/sav_{room}"
    return {
        (file.relative_to(source).as_posix(), table)
        for file in source.rglob("*.py")
        if "migrations" not in file.parts
        for text in sql(file)
        for table in named.findall(text)
        if table not in ALLOWED.get(room, ())
    }


def test_the_chassis_has_these_tables_and_names_them() -> None:
    assert {"view", "event_log", "outbox", "handled", "task", "answered"} <= tables()
    assert {table for _, table in used("chassis")} == tables() - {"event_chain", "erased"}


@pytest.mark.parametrize("room", [*SERVICES, EDGE])
def test_no_room_has_sql_on_them(room: str) -> None:
    assert used(room) == set()


def test_ops_has_its_own_in_one_place() -> None:
    others = {file for file, _ in used("ops") if not file.startswith(VERIFYING)}
    assert others == {STATEMENTS}
