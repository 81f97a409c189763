"""The one way to write the `view` table: events from the queue, a reply or a replay are all applied by its `UPSERT`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from sav_chassis.envelope import Envelope
from sav_contracts.messages import Event, View

RecordedEvent = tuple[Envelope, Event]

# Names and types. A column's values come as an array of its type.
Columns = tuple[tuple[str, str], ...]
COLUMNS: Columns = (
    ("kind", "text"),
    ("id", "uuid"),
    ("version", "bigint"),
    ("parent", "uuid"),
    ("user_id", "uuid"),
    ("client_id", "uuid"),
    ("technician_id", "uuid"),
    ("product_id", "uuid"),
    ("status", "text"),
    ("open", "boolean"),
    ("created_at", "timestamptz"),
    ("updated_at", "timestamptz"),
    ("doc", "json"),
    ("doc_client", "json"),
)
# The advisory lock of whoever replaces the table, or gives it other columns: one at a time.
TABLE_LOCK = 7_305_003
# asyncpg knows no array of these.
AS_TEXT = frozenset({"tsvector"})


def unnested(columns: Columns) -> tuple[str, str]:
    """The SQL of columns whose values come as arrays: what to select, and from what."""
    names = ", ".join(name for name, _ in columns)
    types = ("text" if type in AS_TEXT else type for _, type in columns)
    arrays = ", ".join(f"${n}::{type}[]" for n, type in enumerate(types, 1))
    selected = ", ".join(f"{name}::{type}" if type in AS_TEXT else name for name, type in columns)
    return selected, f"unnest({arrays}) AS newest ({names})"


def upserting(columns: Columns) -> str:
    """The statement that brings rows of the table with these columns, the key first, to their newest version."""
    names = ", ".join(name for name, _ in columns)
    selected, arrays = unnested(columns)
    newer = ", ".join(f"{name} = excluded.{name}" for name, _ in columns[2:])
    # Compares versions, so that duplicates and disorder have no effect. Sorted by key, so that replicas do not deadlock.
    return f"""
INSERT INTO view ({names}) SELECT {selected} FROM {arrays}
ON CONFLICT (kind, id) DO UPDATE SET {newer} WHERE view.version < excluded.version"""


UPSERT = upserting(COLUMNS)


class SqlExecutor(Protocol):
    """A connection or a pool."""

    async def execute(self, query: str, *args: Any) -> str: ...


async def project(connection: SqlExecutor, events: Sequence[RecordedEvent]) -> None:
    """Brings the view of every record in these events to the highest version seen; one statement."""
    await show(connection, [event.state for _, event in events])


async def show(connection: SqlExecutor, views: Iterable[View]) -> None:
    """Brings the same table up to date from views without their events."""
    await upsert(connection, UPSERT, rows(views), len(COLUMNS))


def rows(
    views: Iterable[View], row: Callable[[View], tuple[Any, ...]] | None = None
) -> Iterator[tuple[Any, ...]]:
    """The newest of these views for each record, as table rows (`row_of`) in the order of the key."""
    newest: dict[tuple[str, Any], View] = {}
    for view in views:
        key = (view.kind(), view.id)
        if key not in newest or newest[key].version < view.version:
            newest[key] = view
    return ((row or row_of)(newest[key]) for key in sorted(newest))


async def upsert(connection: SqlExecutor, statement: str, rows: Iterable[Sequence[Any]], width: int) -> None:
    """Runs a statement over columns given as arrays."""
    columns = arrays(rows, width)
    if columns[0]:
        await connection.execute(statement, *columns)


def arrays(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turns rows into `width` columns, also where there are no rows."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    for values in rows:
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return columns


def row_of(view: View) -> tuple[Any, ...]:
    """A view as a table row."""
    return row_beside(view, view.for_client())


def row_beside(view: View, shown: View | None) -> tuple[Any, ...]:
    """A view, and the form that clients are `shown`, as a table row; `doc` and `doc_client` are served exactly as stored."""
    doc = view.model_dump_json()
    return (
        view.kind(),
        view.id,
        view.version,
        *(
            getattr(view, name, None)
            for name in ("parent", "user_id", "client_id", "technician_id", "product_id", "status")
        ),
        view.is_open(),
        view.created_at,
        view.updated_at,
        doc,
        doc if shown is view else shown.model_dump_json() if shown else None,
    )
