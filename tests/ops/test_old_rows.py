"""Rows from before values had a canonical form get it, and are told; two that would become one are a person's to part."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from given_auth import HASH, sign_in
from sqlalchemy import Connection

from sav_auth.app import auth
from sav_catalog.app import catalog
from sav_chassis.database import Database
from sav_chassis.migrate import HERE, _histories, engine_for, migrate
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart, MissingMigration
from sav_chassis.testing import Stage
from sav_claims.app import claims
from sav_contracts.auth.account import AccountChanged
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.product import ProductChanged
from sav_contracts.catalog.stock import StockLevelChanged
from sav_contracts.claims.client import ClientChanged
from sav_ops.home import OpsError
from sav_ops.launch import platform

BEFORE = {"auth": "0004", "catalog": "0001", "claims": "0003", "calendar": "0004"}
STREET, ALABEL = "max@straße.example", "max@xn--strae-oqa.example"
ACCOUNT = """
INSERT INTO account (id, version, created_at, updated_at, email, name, role, locale, status, password_hash, phone)
VALUES ($1, 1, now(), now(), $2, 'Max', 'client', 'fr', 'active', $3, $4)"""
GRANT = """
INSERT INTO "grant" (id, account_id, purpose, expires_at, email)
VALUES ($1, $2, 'change-email', now() + interval '1 day', $3)"""
ARTICLE = """
INSERT INTO article VALUES ($1, 1, now(), now(), $2, $3, 'Chaudière', $4, NULL, 'heating', 'murale', NULL, NULL, 10,
    'EUR', 'standard', 24, 24, NULL, '{}', NULL, 0, false, 'active')"""
STOCK = "INSERT INTO stock_level VALUES ($1, 1, now(), now(), $2, $3, 0, 0)"
PRODUCT = """
INSERT INTO product VALUES ($1, 1, now(), now(), $2, $3, 'Chaudière', 'heating', $4,
    '{"address": "1 rue Haute", "postcode": "75 001", "city": "Paris"}', '2026-01-10', '2026-01-10', NULL, NULL,
    'none', NULL, '[]')"""
CLIENT = """
INSERT INTO client (id, version, created_at, updated_at, name, email, locale, phones)
VALUES ($1, 1, now(), now(), 'Max', $2, 'fr', $3)"""


class Old:
    """A room's database as the release before left it."""

    def __init__(self, settings: Settings, room: str) -> None:
        self.settings, self.room = settings, room

    async def made(self) -> "Old":
        await self._server(
            f'DROP DATABASE IF EXISTS "{self.settings.database_prefix}_{self.room}" WITH (FORCE)'
        )
        await migrate(self.settings, self.room)
        engine = engine_for(self.settings.database(self.room))
        async with engine.begin() as connection:
            await connection.run_sync(back, self.room)
        await engine.dispose()
        return self

    async def sql(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.database(self.room))
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    async def _server(self, query: str) -> None:
        server = await asyncpg.connect(f"{self.settings.database_url}/postgres")
        try:
            await server.execute(query)
        finally:
            await server.close()


def back(connection: Connection, room: str) -> None:
    from alembic import command
    from alembic.config import Config

    versions, table = _histories(room)[1]
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_table", table)
    config.attributes["connection"] = connection
    command.downgrade(config, BEFORE[room])


@pytest.fixture
def apart(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_prefix": "old"})


@pytest.fixture
async def old(apart: Settings, request: pytest.FixtureRequest) -> Old:
    return await Old(apart, request.param).made()


async def started(old: Old, service: Service) -> Stage:
    """The service of today on these rows, after its timers."""
    stage = Stage(service, old.settings)
    await stage.open()
    return stage


def auth_on(test: Any) -> Any:
    return pytest.mark.parametrize("old", ["auth"], indirect=True)(test)


def catalog_on(test: Any) -> Any:
    return pytest.mark.parametrize("old", ["catalog"], indirect=True)(test)


@auth_on
async def test_accounts_are_signed_in_to_as_before_and_told_in_their_form(old: Old) -> None:
    max_, lea, odd, none = uuid4(), uuid4(), uuid4(), uuid4()
    await old.sql(ACCOUNT, max_, STREET, HASH, "+33 6 12 34 56 78")
    await old.sql(ACCOUNT, lea, "lea@example.com", HASH, None)
    # A number that nobody can have stays what its person sees.
    await old.sql(ACCOUNT, odd, "odd@example.com", HASH, "+999999999")
    await old.sql(ACCOUNT, none, None, None, None)
    await old.sql(GRANT, uuid4(), lea, "lea@STRASSE.example")
    await old.sql("INSERT INTO wish VALUES ($1, 'password-reset', $2)", uuid4(), STREET)
    stage = await started(old, auth)
    try:
        told = (await stage.passes(timedelta())).events
        assert [(type(event), event.state.id) for event in told] == [(AccountChanged, max_)]
        assert (told[0].state.email, told[0].state.phone, told[0].state.version) == (
            ALABEL,
            "+33612345678",
            2,
        )
        rows = {row["id"]: (row["email"], row["phone"]) for row in await old.sql("SELECT * FROM account")}
        assert rows == {
            max_: (ALABEL, "+33612345678"),
            lea: ("lea@example.com", None),
            odd: ("odd@example.com", "+999999999"),
            none: (None, None),
        }
        assert (await old.sql('SELECT email FROM "grant"'))[0]["email"] == "lea@strasse.example"
        assert (await old.sql("SELECT email FROM wish"))[0]["email"] == ALABEL
        assert (await stage.when(sign_in(STREET))).reply["user_id"] == str(max_)
        assert (await stage.passes(timedelta())).events == []
    finally:
        await stage.close()


@catalog_on
async def test_articles_and_products_are_told_in_their_form(old: Old) -> None:
    boiler, known, level, product = uuid4(), uuid4(), uuid4(), uuid4()
    await old.sql(ARTICLE, boiler, "mit\u20111", "6291041500213", "Aqua\u00a0Pro")
    await old.sql(ARTICLE, known, "MIT-2", "00000073513537", "Aqua Pro")
    await old.sql(STOCK, level, boiler, "mit\u20111")
    await old.sql(PRODUCT, product, uuid4(), boiler, "sn 42")
    stage = await started(old, catalog)
    try:
        told = {type(event): event.state for event in (await stage.passes(timedelta())).events}
        assert {kind: state.id for kind, state in told.items()} == {
            ArticleChanged: boiler,
            StockLevelChanged: level,
            ProductChanged: product,
        }
        article: Any = told[ArticleChanged]
        assert (article.reference, article.gtin, article.brand) == ("MIT-1", "06291041500213", "Aqua Pro")
        assert told[StockLevelChanged].reference == "MIT-1"
        # Nothing is looked for by an address: it stays as it was given.
        assert (told[ProductChanged].serial, told[ProductChanged].place.postcode) == ("SN42", "75 001")
    finally:
        await stage.close()


@pytest.mark.parametrize("old", ["claims"], indirect=True)
async def test_clients_are_told_in_their_form(old: Old) -> None:
    max_, lea = uuid4(), uuid4()
    await old.sql(CLIENT, max_, STREET, '["+33 6 12 34 56 78", "+999999999"]')
    await old.sql(CLIENT, lea, "lea@example.com", '["+33612345678"]')
    stage = await started(old, claims)
    try:
        told = (await stage.passes(timedelta())).only(ClientChanged).state
        assert (told.id, told.email, told.phones) == (max_, ALABEL, ("+33612345678", "+999999999"))
    finally:
        await stage.close()


async def refuses(old: Old, ids: list[UUID], values: list[str]) -> str:
    """The service does not start and says which rows are in its way; the cure that it names."""
    before = await old.sql("SELECT * FROM room_version")
    with pytest.raises(OpsError) as refusal:
        await platform.migrate(old.settings)
    said = str(refusal.value)
    for id, value in zip(ids, values, strict=True):
        assert f"{id}: {value!a}" in said
    assert await old.sql("SELECT * FROM room_version") == before
    with pytest.raises(MissingMigration, match=r"`\./sav migrate`"):
        await Database(old.settings, old.room).open()
    [cure] = re.findall(r"UPDATE .*;", said)
    return str(cure)


@auth_on
async def test_two_accounts_that_become_one_stop_the_start_until_a_person_parts_them(old: Old) -> None:
    first, second, other = uuid4(), uuid4(), uuid4()
    await old.sql(ACCOUNT, first, STREET, HASH, None)
    await old.sql(ACCOUNT, second, ALABEL, HASH, None)
    await old.sql(ACCOUNT, other, "other@straße.example", HASH, None)
    cure = await refuses(old, [first, second], [STREET, ALABEL])
    # Nothing was merged, and nothing else changed either.
    assert {row["email"] for row in await old.sql("SELECT email FROM account")} == {
        STREET, ALABEL, "other@straße.example",
    }  # fmt: skip
    await old.sql(cure.replace("…", "max@example.com"))
    await migrate(old.settings, "auth")
    rows = {row["id"]: row["email"] for row in await old.sql("SELECT id, email FROM account")}
    assert rows == {first: ALABEL, second: "max@example.com", other: "other@xn--strae-oqa.example"}


@catalog_on
async def test_two_products_or_articles_that_become_one_stop_the_start(old: Old) -> None:
    boiler, first, second = uuid4(), uuid4(), uuid4()
    await old.sql(ARTICLE, boiler, "CH-1", None, "Aqua")
    await old.sql(PRODUCT, first, uuid4(), boiler, "SN 42")
    await old.sql(PRODUCT, second, uuid4(), boiler, "sn\u200b42")
    with pytest.raises(CannotStart, match=f"(?s)product {first}: 'SN 42'.*product {second}: 'sn.u200b42'"):
        await migrate(old.settings, "catalog")
    await old.sql("DELETE FROM product WHERE id = $1", second)
    await old.sql(ARTICLE, second, "ch\u20111", None, "Aqua")
    with pytest.raises(CannotStart, match=f"(?s)article {boiler}: 'CH-1'.*article {second}: 'ch.u20111'"):
        await migrate(old.settings, "catalog")
    await old.sql("UPDATE article SET reference = 'CH-2' WHERE id = $1", second)
    await migrate(old.settings, "catalog")
    with pytest.raises(asyncpg.UniqueViolationError):
        await old.sql(PRODUCT, second, uuid4(), boiler, "SN42")
    assert [row["serial"] for row in await old.sql("SELECT serial FROM product")] == ["SN42"]


EVENT = """
INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, actor_id, actor_role, body, persons)
VALUES (gen_random_uuid(), $1, $2, 'stock_level', $3, $4, gen_random_uuid(), $5, 'manager', '{}', '{}')"""
MOVEMENT = "INSERT INTO stock_movement VALUES (gen_random_uuid(), $1, 'consume', -1, NULL, NULL, $2, $3)"


@catalog_on
async def test_movements_have_the_times_of_their_events(old: Old) -> None:
    boiler, level, marie = uuid4(), uuid4(), uuid4()
    await old.sql(ARTICLE, boiler, "CH-1", None, "Aqua")
    await old.sql(STOCK, level, boiler, "CH-1")
    moved = datetime(2026, 3, 2, 9, tzinfo=UTC)
    low, later, once_more = (moved + timedelta(microseconds=number) for number in (1, 2, 3))
    # It moved and was low; it moved again; then another minimum made it low.
    told = {"StockMoved": (moved, later), "StockLow": (low, once_more)}
    for kind, times in told.items():
        for at in times:
            sequence = 2 + (at - moved).microseconds + (at == once_more)
            await old.sql(EVENT, f"catalog.{kind}.v1", at, level, sequence, marie)
    for at in (low, later):
        await old.sql(MOVEMENT, boiler, marie, at)
    await migrate(old.settings, "catalog")
    rows = await old.sql("SELECT at FROM stock_movement ORDER BY at")
    assert [row["at"] for row in rows] == [moved, later]


APPOINTMENT = """
INSERT INTO appointment (id, version, created_at, updated_at, client_id, technician_id, reclamation_id,
    reclamation_reference, start, "end", zone, status, uid, sequence)
VALUES ($1, 1, now(), now(), $2, $3, gen_random_uuid(), 'REC-2026-000001', $4, $5, 'Europe/Paris', $6,
    gen_random_uuid()::text, 0)"""


@pytest.mark.parametrize("old", ["calendar"], indirect=True)
async def test_visits_that_were_planned_close_keep_their_times(old: Old) -> None:
    karim, lea, eight = uuid4(), uuid4(), datetime(2026, 3, 5, 8, tzinfo=UTC)
    visits = {
        "first": (0, "booked"),
        "touches": (2, "booked"),
        "apart": (6, "held"),
        "missed": (7, "no_show"),
    }
    ids = {name: uuid4() for name in visits}
    for name, (hours, status) in visits.items():
        start = eight + timedelta(hours=hours)
        await old.sql(APPOINTMENT, ids[name], lea, karim, start, start + timedelta(hours=2), status)
    await migrate(old.settings, "calendar")
    rows = {row["id"]: row for row in await old.sql("SELECT * FROM appointment")}
    left = {name: rows[id]["busy_until"] - rows[id]["end"] for name, id in ids.items()}
    usual = timedelta(minutes=30)
    assert left == {"first": timedelta(), "touches": usual, "apart": usual, "missed": usual}
    assert {row["travel"] for row in rows.values()} == {usual}
    assert rows[ids["missed"]]["missed_by"] == "client"
    early = eight + timedelta(hours=4, minutes=29)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await old.sql("UPDATE appointment SET start = $1 WHERE id = $2", early, ids["apart"])
