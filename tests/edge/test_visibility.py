"""Who sees what, in whatever way they ask: what the views declare, against a table that was written by hand."""

from collections.abc import AsyncIterator, Collection
from contextlib import nullcontext, suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from given_views import announced, new_read_model, wipe
from given_visibility import CAST, MORE, NADIAS, OMARS, OPEN, PAULS, SEES, may_see
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.database import opened
from sav_chassis.envelope import Context
from sav_chassis.errors import NotFound, NotYet
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx
from sav_chassis.visibility import sees
from sav_contracts import message_types
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.policy import SigningKeyView
from sav_contracts.messages import View
from sav_contracts.surface import (
    SURFACE,
    FieldRow,
    FileRow,
    ListRow,
    OwnRecordRow,
    PaperRow,
    RecordRow,
    TimelineRow,
)
from sav_contracts.visibility import ChildOf
from sav_edge.changes import WHOM, Changes
from sav_edge.projection import apply
from sav_edge.read_model import ReadModel

# Kinds and ids: a person, their account and their card have the same id.
Keys = set[tuple[str, UUID]]
ALL = SEES | MORE
# A réclamation of which each of them reads the timeline.
THEIRS = {
    "lea": OPEN, "karim": OPEN, "marie": OPEN, "alex": OPEN, "paul": PAULS, "sofia": PAULS, "nadia": NADIAS, "omar": OMARS,
}  # fmt: skip
LINES = """
INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client)
SELECT root, gen_random_uuid(), now(), kind, id, line, line
FROM view, unnest($1::uuid[]) AS root, json_build_object('kind', kind, 'id', id) AS line"""
# What makes no lines.
UNTOLD = {
    "account",
    "article",
    "article_cost",
    "article_import",
    "invoice_margin",
    "notification",
    "saved_filter",
    "stock_level",
    "stocktake",
}
LISTED = {row.message: row for row in SURFACE if isinstance(row, ListRow) and "{" not in row.path}
[TIMELINE] = [
    row
    for row in SURFACE
    if isinstance(row, TimelineRow) and row.path == "/reclamations/{reclamation_id}/timeline"
]


@pytest.fixture(scope="module")
async def apart(settings: Settings) -> Settings:
    apart = settings.model_copy(update={"database_prefix": "visibility"})
    await new_read_model(apart)
    return apart


@pytest.fixture(scope="module")
async def pool(apart: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        await pool.execute("TRUNCATE change")
        await wipe(pool)
        await apply(pool, [announced(view) for view, _ in ALL.values()])
        await pool.execute(LINES, list({one.id for one in THEIRS.values()}))
        yield pool


@pytest.fixture
async def tx(pool: asyncpg.Pool, apart: Settings) -> AsyncIterator[Tx]:
    """The transaction of a service that keeps copies of everything."""
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
    async with opened(apart, "edge") as database, AsyncSession(database.engine) as session:
        yield Tx(session, apart, context)


def key(view: View) -> tuple[str, UUID]:
    return view.kind(), view.id


def wrongly(seen: Keys, name: str, but: Collection[str] = ()) -> list[str]:
    """The records that this person saw and should not, or should have seen and did not."""
    return [
        f"{record}: {key(view) in seen} for {name}"
        for record, (view, _) in ALL.items()
        if (key(view) in seen) is not may_see(record, name) and view.kind() not in but
    ]


def test_the_table_has_records_of_every_kind() -> None:
    assert {type(view) for view, _ in ALL.values()} == set(message_types.VIEWS.values())


@pytest.mark.parametrize("name", CAST)
async def test_whoever_lists(name: str, pool: asyncpg.Pool) -> None:
    read, who = ReadModel(pool), CAST[name]
    seen: Keys = set()
    for row in LISTED.values():
        if who.role in row.roles:
            page = from_json(await read.page(row, {}, {"limit": ["200"]}, who))
            seen |= {(row.message.kind(), UUID(item["id"])) for item in page["items"]}
    of_others = {view.kind() for view in message_types.VIEWS.values() if view not in LISTED}
    # Their own account is at `/me`.
    but = {"account"} if who.role is not Role.ADMIN else set()
    assert not wrongly(seen, name, of_others | but)


@pytest.mark.parametrize("name", CAST)
async def test_whoever_asks_for_one(name: str, pool: asyncpg.Pool) -> None:
    read, who = ReadModel(pool), CAST[name]
    seen: Keys = set()
    kinds: set[str] = set()
    for row in SURFACE:
        if isinstance(row, RecordRow | FieldRow | OwnRecordRow | FileRow | PaperRow):
            kinds.add(row.message.kind())
            for record in (record for record, _ in ALL.values() if type(record) is row.message):
                seen |= await got(read, row, record, who)
    # Of several of one visit, technician or réclamation, the newest.
    assert not wrongly(
        seen,
        name,
        {kind for kind in message_types.VIEWS if kind not in kinds}
        | {"report", "working_hours", "earlier_visit", "absence"},
    )


async def got(
    read: ReadModel, row: RecordRow | FieldRow | OwnRecordRow | FileRow | PaperRow, record: View, who: Actor
) -> Keys:
    if isinstance(row, OwnRecordRow) and record.id != who.id:
        return set()
    names = [part.removesuffix("}") for part in row.path.replace(".pdf", "").split("{")[1:]]
    names = [name.split("}")[0] for name in names] or ["account_id"]
    ids = {name: record.id if name == f"{record.kind()}_id" else record.parent or uuid4() for name in names}
    try:
        return {(record.kind(), (await read.one(row, ids, who)).id)}
    except NotFound:
        return set()


@pytest.mark.parametrize("name", CAST)
async def test_whoever_reads_a_timeline(name: str, pool: asyncpg.Pool) -> None:
    page = await ReadModel(pool).timeline(
        TIMELINE, {"reclamation_id": THEIRS[name].id}, {"limit": ["200"]}, CAST[name]
    )
    seen = {(line["kind"], UUID(line["id"])) for line in from_json(page)["items"]}
    assert not UNTOLD & {kind for kind, _ in seen}
    assert not wrongly(seen, name, UNTOLD | {"signing_key"})


@pytest.mark.parametrize("name", CAST)
async def test_whoever_listens(name: str, pool: asyncpg.Pool) -> None:
    who = CAST[name]
    positions = [row[0] for row in await pool.fetch("SELECT position FROM change")]
    told = await pool.fetch(WHOM, positions)
    seen = {
        (kind, id) for _, kind, id, _, role, person in told if role == who.role and person in (None, who.id)
    }
    assert not wrongly(seen, name, {"signing_key"})
    missed = await Changes(pool).missed(min(positions) - 1, who, 1000)
    assert missed is not None
    assert {(kind, id) for kind, id, _ in missed} == seen


@pytest.mark.parametrize("name", CAST)
async def test_whoever_names_it_to_a_service_that_keeps_a_copy(name: str, tx: Tx) -> None:
    seen: Keys = set()
    for view, _ in ALL.values():
        with suppress(NotFound, NotYet):
            seen.add(key(await tx.view(type(view), view.id, CAST[name])))
    assert not wrongly(seen, name)


@pytest.mark.parametrize("name", CAST)
async def test_whoever_names_it_to_its_owner(name: str, tx: Tx) -> None:
    who = CAST[name]
    seen: Keys = set()
    hanging: set[str] = set()
    for view, _ in ALL.values():
        rule = view.visible.to(who.role)
        if isinstance(rule, ChildOf):
            hanging.add(view.kind())
            with (
                pytest.raises(TypeError)
                if view.for_client() or who.role is not Role.CLIENT
                else nullcontext()
            ):
                await sees(tx.session, rule, who, view)
        elif await sees(tx.session, rule, who, view):
            seen.add(key(view))
    assert hanging <= {
        "comment",
        "note",
        "photo",
        "report",
        "attestation",
        "credit_note",
        "payment",
        "reservation",
        "visit_photo",
    }
    assert not wrongly(seen, name, hanging)


@pytest.mark.parametrize("role", [*Role])
def test_a_signing_key_is_for_everybody(role: Role) -> None:
    assert str(SigningKeyView.visible.to(role)) == "all"


@pytest.mark.parametrize("view", message_types.VIEWS.values(), ids=lambda view: view.kind())
def test_nobody_without_a_token_sees_anything_else(view: type[View]) -> None:
    assert (str(view.visible.to(Role.ANYONE)) == "none") is (view is not SigningKeyView)
    assert str(view.visible.to(Role.SYSTEM)) == "all"
