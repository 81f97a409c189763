"""What each role reads of every kind of record: a matrix of records and people, over the real read model."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from given_views import NOW, a, announced, new_read_model
from given_visibility import (
    ARTICLE,
    CAST,
    DISCARDED,
    DRAFT,
    ISSUED,
    LEVEL,
    MANAGERS,
    MORE,
    OPEN,
    OVER,
    PAULS,
    PAULS_PHOTO,
    PAULS_VISIT,
    PHOTO,
    SEES,
    UNHEARD_OF,
    VISIT,
    alex,
    karim,
    lea,
    marie,
    may_see,
    omar,
    paul,
    sofia,
)  # fmt: skip
from pydantic_core import from_json

from sav_chassis.errors import NotFound
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.surface import SURFACE, FieldRow, FileRow, ListRow, OwnRecordRow, PaperRow, RecordRow
from sav_edge.projection import apply
from sav_edge.read_model import ReadModel

ROWS: dict[str, Any] = {row.route: row for row in SURFACE}
ONE = {row.message: row for row in SURFACE if isinstance(row, RecordRow)}
PAGES = {row.message: row for row in SURFACE if isinstance(row, ListRow)}


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    apart = settings.model_copy(update={"database_prefix": "scopes"})
    await new_read_model(apart)
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        await apply(pool, [announced(view) for view, _ in (SEES | MORE).values()])
        yield pool


@pytest.fixture(scope="module")
def read(pool: asyncpg.Pool) -> ReadModel:
    return ReadModel(pool)


async def found(read: ReadModel, route: str, who: Actor, *ids: UUID) -> Any:
    """The document; None where it is not there."""
    row = ROWS[f"GET {route}"]
    try:
        found = await read.one(row, dict(zip(re.findall(r"{(\w+)}", row.path), ids, strict=True)), who)
        return from_json(found.doc)
    except NotFound:
        return None


async def listed(read: ReadModel, row: ListRow, who: Actor, **query: str) -> set[str]:
    page = await read.page(row, {}, {"limit": ["200"]} | {n: [v] for n, v in query.items()}, who)
    return {item["id"] for item in from_json(page)["items"]}


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("record", SEES)
async def test_a_record_is_there_for_whom_it_concerns(read: ReadModel, record: str, name: str) -> None:
    view, _ = SEES[record]
    who, kind, may = CAST[name], type(view), may_see(record, name)
    if who.role not in PAGES[kind].roles:
        assert not may, "the table refuses this role"
        return
    assert (str(view.id) in await listed(read, PAGES[kind], who)) is may
    assert (await found(read, ONE[kind].path, who, view.id) is not None) is may


def test_the_matrix_has_every_kind_that_is_listed() -> None:
    missing = {view.kind() for view in PAGES}
    assert missing - {view.kind() for view, _ in SEES.values()} == {
        "photo",  # is read with its parent
        "visit_photo",
        "report",
        "comment",
        "note",
        "policy",  # has no page of its own, and is for admins alone
        "absence",  # has no page of its own
        "account",  # see below
        "reservation",  # has no page of its own
    }


WITH_ID = [
    row
    for row in SURFACE
    if isinstance(row, ListRow | RecordRow | FieldRow | FileRow | PaperRow) and "{" in row.path
]


@pytest.mark.parametrize("row", WITH_ID, ids=lambda row: row.route)
async def test_a_role_that_is_not_in_the_row_reads_nothing_even_behind_the_door(
    read: ReadModel, row: Any
) -> None:
    *_, name = re.findall(r"{(\w+)}", row.path)
    for view, _ in (SEES | MORE).values():
        if type(view) is row.message:
            id = view.id if name == f"{view.kind()}_id" else view.parent
            assert id
            for who in (who for who in CAST.values() if who.role not in row.roles):
                with pytest.raises(NotFound):
                    await read.one(row, {name: id}, who)


async def test_feedback_that_is_asked_for_does_not_keep_a_client_visible(read: ReadModel) -> None:
    # Omar's one visit to Léa is cancelled, and Paul is only asked how a visit of his was.
    assert await listed(read, PAGES[ClientView], omar) == set()


async def test_everybody_reads_their_own_account(read: ReadModel) -> None:
    for who in CAST.values():
        [profile] = [row for row in SURFACE if isinstance(row, OwnRecordRow)]
        found = await read.one(profile, {"account_id": who.id}, who)
        assert (from_json(found.doc)["id"], found.id) == (str(who.id), who.id)
        for other in CAST.values():
            if other != who:
                with pytest.raises(NotFound):
                    await read.one(profile, {"account_id": other.id}, who)


async def test_a_manager_reads_the_accounts_of_clients_and_technicians_only(read: ReadModel) -> None:
    for who in CAST.values():
        here = str(who.id) in await listed(read, PAGES[AccountView], marie)
        one = await found(read, ONE[AccountView].path, marie, who.id) is not None
        assert here is one is (who.role in (Role.CLIENT, Role.TECHNICIAN)), who.role
        assert str(who.id) in await listed(read, PAGES[AccountView], alex)
        assert await found(read, ONE[AccountView].path, alex, who.id)


async def test_what_hangs_on_a_record_is_read_by_the_records_id(read: ReadModel) -> None:
    for who in (karim, omar, marie, alex):
        assert (await found(read, "/articles/{article_id}/stock", who, ARTICLE.id))["id"] == str(LEVEL.id)
        assert await found(read, "/articles/{article_id}/stock", who, LEVEL.id) is None
    hours = "/technicians/{technician_id}/hours"
    assert (await found(read, hours, karim, karim.id))["technician_id"] == str(karim.id)
    assert await found(read, hours, marie, karim.id)
    assert await found(read, hours, sofia, karim.id) is None
    assert await found(read, hours, marie, UNHEARD_OF) is None, "there is no such technician yet"
    assert await found(read, hours, sofia, sofia.id) is None, "nobody has set them"


async def test_a_client_reads_the_newest_report_that_is_validated(read: ReadModel) -> None:
    report = "/interventions/{intervention_id}/report"
    assert (await found(read, report, karim, VISIT.id))["findings"] == "newer"
    assert (await found(read, report, marie, VISIT.id))["findings"] == "newer"
    hers = await found(read, report, lea, VISIT.id)
    assert (hers["findings"], hers["reason"]) == ("older", None)
    assert await found(read, report, paul, PAULS_VISIT.id) is None, "his is not validated"
    assert await found(read, report, sofia, PAULS_VISIT.id)
    for who in (paul, sofia, omar):
        assert await found(read, report, who, VISIT.id) is None


@pytest.mark.parametrize(("name", "sees"), [(name, {"lea": 1, "karim": 1}.get(name, 0)) for name in CAST])
async def test_photos_are_read_with_their_reclamation(read: ReadModel, name: str, sees: int) -> None:
    row, who = ROWS["GET /reclamations/{reclamation_id}/photos"], CAST[name]
    if sees or name in MANAGERS:
        [photo] = from_json(await read.page(row, {"reclamation_id": OPEN.id}, {}, who))["items"]
        assert photo["reclamation_id"] == str(OPEN.id)
    else:
        with pytest.raises(NotFound):
            await read.page(row, {"reclamation_id": OPEN.id}, {}, who)
    with pytest.raises(NotFound):
        await read.page(row, {"reclamation_id": uuid4()}, {}, who)


async def test_a_root_without_children_has_an_empty_page(read: ReadModel) -> None:
    row = ROWS["GET /reclamations/{reclamation_id}/photos"]
    assert from_json(await read.page(row, {"reclamation_id": OVER.id}, {}, lea)) == {
        "items": [],
        "next": None,
    }


async def test_of_two_ids_the_record_must_hang_on_the_first(read: ReadModel) -> None:
    see = "/reclamations/{reclamation_id}/photos/{photo_id}"
    hers, his = PHOTO.id, PAULS_PHOTO.id
    for who in (lea, karim, marie):
        assert (await found(read, see, who, OPEN.id, hers))["file"]["media_type"] == "image/jpeg"
    for who in CAST.values():
        assert await found(read, see, who, PAULS.id, hers) is None
        assert await found(read, see, who, OPEN.id, his) is None
    for who in (paul, sofia, omar):
        assert await found(read, see, who, OPEN.id, hers) is None


async def test_a_draft_is_not_there_for_its_client_whatever_they_ask(read: ReadModel) -> None:
    invoices = PAGES[InvoiceView]
    assert {str(DRAFT.id), str(DISCARDED.id)} <= await listed(read, invoices, marie)
    for query in (
        {"status": "draft"},
        {"status": "discarded"},
        {"intervention_id": str(VISIT.id)},
        {"reclamation_id": str(OPEN.id)},
        {"client_id": str(lea.id)},
        {"sort": "number"},
        {"sort": "-number"},
        {"created_from": "2026-01-01T00:00:00Z"},
    ):
        assert await listed(read, invoices, lea, **query) <= {str(ISSUED.id)}, query
    assert await found(read, "/invoices/{invoice_id}", lea, DRAFT.id) is None
    assert await found(read, "/invoices/{invoice_id}", lea, ISSUED.id)
    assert "hash" not in await found(read, "/invoices/{invoice_id}", lea, ISSUED.id)


async def test_a_client_and_a_product_are_gone_when_the_last_open_work_ends(pool: asyncpg.Pool) -> None:
    read = ReadModel(pool)
    client, technician = Actor(id=uuid4(), role=Role.CLIENT), Actor(id=uuid4(), role=Role.TECHNICIAN)
    product = a(ProductView, client_id=client.id)
    claim = a(
        ReclamationView,
        client_id=client.id,
        technician_id=technician.id,
        product_id=product.id,
        status="in_progress",
    )
    visit = a(
        InterventionView,
        client_id=client.id,
        technician_id=technician.id,
        reclamation_id=claim.id,
        product_id=product.id,
    )
    card = a(TechnicianView, id=technician.id, technician_id=technician.id)
    profile = a(ClientView, id=client.id, client_id=client.id)
    await apply(pool, [announced(view) for view in (product, claim, visit, card, profile)])

    async def sees() -> tuple[set[str], set[str]]:
        return (
            await listed(read, PAGES[ClientView], technician),
            await listed(read, PAGES[ProductView], technician),
        )

    assert await sees() == ({str(client.id)}, {str(product.id)})
    await apply(pool, [announced(later(claim, status="closed"))])
    assert await sees() == ({str(client.id)}, {str(product.id)}), "the visit goes on"
    await apply(pool, [announced(later(visit, status="completed"))])
    assert await sees() == (set(), set())
    assert await listed(read, PAGES[TechnicianView], client) == {str(technician.id)}, "they worked for them"


def later(view: Any, **fields: Any) -> Any:
    """The record after another change."""
    at = NOW + timedelta(hours=view.version)
    return view.model_copy(update={"version": view.version + 1, "updated_at": at} | fields)
