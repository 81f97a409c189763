"""For migrations: gives old rows the canonical form; rows that would become equal stop the migration."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from alembic import op
from sqlalchemy import Connection, text

from sav_chassis.startup_checks import CannotStart
from sav_contracts import canonical

# From a value as PostgreSQL returns it (JSON as text) to its canonical form.
Form = Callable[[str], str]

PAGE = 1000
# The most clashes that are listed: a person goes through them one by one.
LISTED = 20
# Inserts what `tx.remind` would write. At the service's next start, each timer emits its record in its own transaction.
TELL_LATER = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', timer || ' ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', timer, 'about', id, 'correlation_id', conversation)::text,
    '{}'
FROM canonical_form, (SELECT CAST(:timer AS text) AS timer, gen_random_uuid() AS conversation OFFSET 0) AS said
ON CONFLICT DO NOTHING"""


def make_canonical(
    table: str, forms: Mapping[str, Form], unique: Sequence[str] = (), tell: str | None = None
) -> None:
    """Gives these columns their canonical form. Values without one stay as they are.

    `CannotStart` lists the rows whose `unique` columns would become equal, and changes nothing: a person must decide
    which is right. `tell` names the timer of the service that emits each changed record again.
    """
    connection = op.get_bind()
    # No time limit is needed: the service does not run during a migration.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    columns = {name: f"{name} text" for name in forms}
    connection.execute(
        text(f"CREATE TEMP TABLE canonical_form (id uuid PRIMARY KEY, {', '.join(columns.values())})")
    )
    keep = text(f"INSERT INTO canonical_form VALUES (:id, {', '.join(f':{name}' for name in forms)})")
    for page in _pages(connection, table, list(forms)):
        if changed := [now for row in page if (now := _now(row, forms)) != row]:
            connection.execute(keep, changed)
    if unique:
        _check_unique(connection, table, forms, unique)
    types = {
        row.column_name: row.data_type
        for row in connection.execute(
            text("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :table"),
            {"table": table},
        )
    }
    said = ", ".join(f"{name} = CAST(c.{name} AS {types[name]})" for name in forms)
    connection.execute(text(f'UPDATE "{table}" t SET {said} FROM canonical_form c WHERE c.id = t.id'))
    if tell:
        connection.execute(text(TELL_LATER), {"timer": tell})
    connection.execute(text("DROP TABLE canonical_form"))


def _pages(connection: Connection, table: str, names: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    said = ", ".join(f"{name}::text AS {name}" for name in names)
    query = text(f'SELECT id, {said} FROM "{table}" WHERE id > :last ORDER BY id LIMIT {PAGE}')
    last = UUID(int=0)
    while page := [dict(row) for row in connection.execute(query, {"last": last}).mappings()]:
        yield page
        last = page[-1]["id"]


def _now(row: dict[str, Any], forms: Mapping[str, Form]) -> dict[str, Any]:
    made = {
        name: canonical.or_itself(form, row[name]) for name, form in forms.items() if row[name] is not None
    }
    return row | made


def _check_unique(
    connection: Connection, table: str, forms: Mapping[str, Form], unique: Sequence[str]
) -> None:
    same = ", ".join(f"coalesce(c.{name}, t.{name})" if name in forms else f"t.{name}" for name in unique)
    [value] = [name for name in unique if name in forms]
    groups = connection.execute(
        text(
            f"""SELECT array_agg(t.id ORDER BY t.created_at, t.id), array_agg(t.{value} ORDER BY t.created_at, t.id)
            FROM "{table}" t LEFT JOIN canonical_form c ON c.id = t.id
            WHERE coalesce(c.{value}, t.{value}) IS NOT NULL GROUP BY {same} HAVING count(*) > 1"""
        )
    )
    if clashes := groups.all():
        raise CannotStart(_clash_line(connection, table, value, clashes))


def _clash_line(connection: Connection, table: str, value: str, clashes: Sequence[Any]) -> str:
    database = connection.scalar(text("SELECT current_database()"))
    lines = [
        f"{database}: these would have the same {value}, as it is compared from now on. Nothing was changed."
    ]
    for ids, values in clashes[:LISTED]:
        lines += [f"  {table} {id}: {said!a}" for id, said in zip(ids, values, strict=True)] + [""]
    if len(clashes) > LISTED:
        lines.append(f"  … and {len(clashes) - LISTED} more")
    later = clashes[0][0][-1]
    lines += [
        f"Say which one keeps it, and give each other one another {value}, in the database {database}:",
        f"  UPDATE {table} SET {value} = '…' WHERE id = '{later}';",
        f"then `./sav migrate` and, once SAV is up, `./sav refresh {table}`: it tells everybody.",
    ]
    return "\n".join(lines)
