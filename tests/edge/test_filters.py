"""Filters: what is chosen of a list, by whom, and by what they see."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, get_args
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_lists import LISTS, NOW, chosen, dated, named_wrong, put, through
from given_views import a, show
from recipes import Scene
from stories import ids, opened, qualified

from sav_chassis.errors import Invalid
from sav_contracts.actor import Role
from sav_contracts.auth.account import AccountView
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientForClient, ClientView
from sav_contracts.claims.reclamation import ReclamationForClient, ReclamationView
from sav_contracts.interventions.invoice import InvoiceForClient, InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import SKILLS, TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_contracts.slot import Slot
from sav_contracts.surface import ListRow
from sav_contracts.visibility import Own, Visible
from sav_edge.list_query import form, parse
from sav_edge.read_model import ReadModel


async def test_filters_choose_and_several_values_are_alternatives(scene: Scene) -> None:
    paul = await scene.system.client()
    leak, noise = await opened(paul, problem_type="leak"), await opened(paul, problem_type="noise")
    known = await qualified(paul, scene.manager)
    marie = scene.manager

    async def found(**parameters: Any) -> set[str]:
        return set(await ids(marie, "/reclamations", client_id=paul.id, **parameters))

    assert await found(status="qualified") == {known["id"]}
    assert await found(status=["qualified", "submitted"]) == {leak["id"], noise["id"], known["id"]}
    assert await found(problem_type=["leak", "noise"]) == {leak["id"], noise["id"]}
    assert await found(problem_type="leak", status="qualified") == set()
    assert await found(reference=noise["reference"]) == {noise["id"]}
    assert await found(priority="high", status="submitted") == {leak["id"]}
    assert await found(technician_id=scene.near.technician.id) == set()
    mixed = await ids(marie, "/reclamations", client_id=[paul.id, scene.near.client.id], limit=200)
    assert {leak["id"], scene.near.records["reclamation"]} <= set(mixed)


async def test_dates_choose_from_and_until(scene: Scene) -> None:
    client_id = uuid4()
    days = [dated(client_id, created_at=NOW + timedelta(days=n)) for n in range(4)]
    await put(scene.system, *days)

    async def found(**parameters: str) -> list[str]:
        return await ids(
            scene.manager, "/reclamations", client_id=str(client_id), sort="created_at", **parameters
        )

    expected = [str(day.id) for day in days]
    assert await found(created_from="2026-03-03T09:00:00Z") == expected[1:]
    assert await found(created_to="2026-03-03T09:00:00Z") == expected[:1]
    assert (
        await found(created_from="2026-03-03T10:00:00+01:00", created_to="2026-03-04T09:00:01Z")
        == expected[1:3]
    )


async def test_technicians_are_filtered_by_whether_they_are_active(scene: Scene) -> None:
    id = scene.near.technician.id
    assert id in await ids(scene.manager, "/technicians", active="true", limit=200)
    assert id not in await ids(scene.manager, "/technicians", active="false", limit=200)


async def test_whoever_declared_no_skills_can_do_everything(pool: asyncpg.Pool, read: ReadModel) -> None:
    gas, wood, anything = (a(TechnicianView, skills=skills) for skills in (["heating", "gas"], ["wood"], []))
    await show(pool, [gas, wood, anything])

    async def found(*skills: str) -> set[UUID]:
        return set(await chosen(read, "/technicians", marie, skills=[*skills]))

    assert await found("gas") == {gas.id, anything.id}
    assert await found("gas", "wood") == {gas.id, wood.id, anything.id}
    assert await found("solar") == {anything.id}
    for card in (gas, wood, anything):
        for skill in SKILLS:
            assert (card.id in await found(skill)) is not bool(card.lacks([skill])), (
                "as work is given to them"
            )


alex, marie, lea = world.alex, world.marie, world.lea


def appointment(start: str) -> AppointmentView:
    time = datetime.fromisoformat(start)
    return a(AppointmentView, start=time, end=time + timedelta(hours=2))


async def test_appointments_are_sorted_by_their_start_and_chosen_by_when_they_take_place(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    # Whatever zone a time is told in: as texts these would stand in another order.
    first = appointment("2026-03-02T10:00:00+02:00")
    second = appointment("2026-03-02T09:00:00+00:00")
    third = appointment("2026-03-02T04:30:00-05:00")
    await show(pool, [third, first, second])
    order = [first.id, second.id, third.id]
    for limit in ("1", "2", "200"):
        assert await through(read, "/appointments", marie, sort="start", limit=limit) == order
        assert await through(read, "/appointments", lea, sort="-start", limit=limit) == order[::-1]

    async def between(**bounds: str) -> list[UUID]:
        return await chosen(read, "/appointments", marie, sort="start", **bounds)

    # From 8 to 10, from 9 to 11, from 9:30 to 11:30. Who asks in the middle of a visit has it; what ends or begins at a bound is outside.
    assert await between(**{"from": "2026-03-02T09:59:59Z"}) == order
    assert await between(**{"from": "2026-03-02T10:00:00Z"}) == order[1:]
    assert await between(**{"from": "2026-03-02T11:00:00Z"}) == [third.id]
    assert await between(to="2026-03-02T10:00:00+01:00") == [first.id]
    assert await between(to="2026-03-02T10:00:01+01:00") == [first.id, second.id]
    assert await between(**{"from": "2026-03-02T09:10:00Z", "to": "2026-03-02T09:20:00Z"}) == order[:2]
    for wrong in ("", "yesterday", "2026-03-02T09:00:00", "2026-03-02", "\0"):
        assert await named_wrong(read, "/appointments", lea, **{"from": wrong, "to": wrong}) == {"from", "to"}
    assert await named_wrong(read, "/invoices", marie, **{"from": "2026-03-02T09:00:00Z"}) == {"from"}


async def test_filters_take_what_their_field_is(pool: asyncpg.Pool, read: ReadModel) -> None:
    product_id = uuid4()
    boiler = a(
        ArticleView,
        reference="CH-1",
        gtin="00000012345670",
        brand="Léa & Cie",
        fuel="gas",
        heats="space",
        in_stock=True,
    )
    tap = a(ArticleView, reference="CH-11", family="sanitary", fuel=None, in_stock=False)
    named = a(ReclamationView, product_id=product_id)
    product = a(ProductView, id=product_id, serial="S_1")
    person = a(AccountView, email="lea@example.com", role="client")
    max_ = a(AccountView, email="max@xn--strae-oqa.example", role="client")
    await show(
        pool, [person, max_, boiler, tap, named, a(ReclamationView), product, a(ProductView, serial="SX1")]
    )
    for who in (lea, marie):
        assert await chosen(read, "/articles", who, in_stock="true") == [boiler.id]
        assert await chosen(read, "/articles", who, in_stock="false") == [tap.id]
        assert await chosen(read, "/articles", who, family="sanitary") == [tap.id]
        assert await chosen(read, "/articles", who, fuel="gas") == [boiler.id]
        assert await chosen(read, "/articles", who, heats=["space", "space_and_water"]) == [boiler.id]
        assert await chosen(read, "/articles", who, gtin="12345670") == [boiler.id]
        assert await chosen(read, "/articles", who, reference="CH-1") == [boiler.id]
        assert await chosen(read, "/articles", who, reference=" ch\u20111") == [boiler.id]
        assert await chosen(read, "/articles", who, brand="Le\u0301a\u00a0& Cie\u200b") == [boiler.id]
        assert await chosen(read, "/reclamations", who, product_id=str(product_id).upper()) == [named.id]
        assert await chosen(read, "/products", who, serial="S_1") == [product.id]
        assert await chosen(read, "/products", who, serial="s _1") == [product.id]
        wrong = {"in_stock": "perhaps", "fuel": "coal", "gtin": "\0"}
        assert await named_wrong(read, "/articles", who, **wrong) == set(wrong)
        assert await named_wrong(read, "/articles", who, gtin="12345671") == {"gtin"}
    for email in ("LEA@example.com", "lea@EXAMPLE.COM", " lea@example.com"):
        assert await chosen(read, "/users", marie, email=email) == [person.id]
    for email in ("max@straße.example", "MAX@xn--strae-oqa.example"):
        assert await chosen(read, "/users", marie, email=email) == [max_.id]
    assert await chosen(read, "/users", marie, email="max@strasse.example") == []
    assert await named_wrong(read, "/users", marie, email="nobody") == {"email"}


class Careless(View):
    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    def for_client(self) -> View | None:
        return None


class Hidden(View):
    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    def for_client(self) -> None:
        return None


def test_a_client_reads_the_form_that_the_view_names() -> None:
    assert form(ReclamationView, lea) is ReclamationForClient
    assert form(InvoiceView, lea) is InvoiceForClient
    assert form(ReportView, lea) is ReportView
    assert form(ClientView, lea) is ClientForClient
    assert form(InvoiceView, marie) is InvoiceView
    for view in (Careless, Hidden):
        assert form(view, marie) is view
        with pytest.raises(TypeError):
            form(view, lea)


async def test_a_client_asks_nothing_about_what_only_staff_see(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [a(ReclamationView, technician_id=world.karim.id, priority="critical")])
    assert await named_wrong(read, "/reclamations", lea, priority="critical") == {"priority"}
    assert len(await chosen(read, "/reclamations", marie, priority="critical")) == 1


async def test_visits_are_chosen_by_when_they_take_place(pool: asyncpg.Pool, read: ReadModel) -> None:
    slot = Slot(start=NOW, end=NOW + timedelta(hours=2))
    planned, unplanned = a(InterventionView, slot=slot), a(InterventionView, slot=None)
    await show(pool, [planned, unplanned])
    for who in (lea, world.karim, marie):
        middle = {"from": "2026-03-02T09:30:00Z", "to": "2026-03-02T09:40:00Z"}
        assert await chosen(read, "/interventions", who, **middle) == [planned.id]
        assert await chosen(read, "/interventions", who, to="2026-03-02T09:00:00Z") == []


@pytest.mark.parametrize("row", LISTS.values(), ids=lambda row: row.path)
def test_a_time_until_that_is_before_the_time_since_is_refused(row: ListRow) -> None:
    earlier, later = ["2026-03-02T10:00:00+01:00"], ["2026-03-02T09:30:00Z"]
    assert ("from", "to") in row.periods() or not row.has_interval
    for since, until in row.periods():
        for query in ({since: earlier, until: later}, {since: later, until: later}):
            parse(row, query, world.alex)
        with pytest.raises(Invalid) as refused:
            parse(row, {since: later, until: earlier}, world.alex)
        [wrong] = refused.value.problem.errors or []
        assert (wrong.field, wrong.message) == (until, f"it is before `{since}`")


async def test_a_filter_chooses_by_the_form_that_is_read(pool: asyncpg.Pool, read: ReadModel) -> None:
    accepted, planned = a(InterventionView, status="accepted"), a(InterventionView, status="planned")
    await show(pool, [accepted, planned])
    assert set(await chosen(read, "/interventions", lea, status="planned")) == {accepted.id, planned.id}
    assert await chosen(read, "/interventions", lea, status="accepted") == []
    assert await chosen(read, "/interventions", marie, status="planned") == [planned.id]
    assert await chosen(read, "/interventions", marie, status=["accepted", "declined"]) == [accepted.id]


@pytest.mark.parametrize("view", [ReclamationView, InterventionView])
def test_a_state_in_which_a_record_is_over_is_that_of_no_open_one(view: type[View]) -> None:
    [states] = [field.annotation for name, field in view.model_fields.items() if name == "status"]
    over = {state for state in get_args(states) if not a(view, status=state).is_open()}
    assert view.over_in == over
    assert over


async def test_a_list_of_what_is_over_leaves_nothing_out(pool: asyncpg.Pool, read: ReadModel) -> None:
    claims = {state: a(ReclamationView, status=state).id for state in ("closed", "rejected", "submitted")}
    await show(pool, [a(ReclamationView, id=id, status=state) for state, id in claims.items()])
    # One that was over, and is open again.
    await show(pool, [a(ReclamationView, claims["rejected"], status="submitted", version=2)])
    for who in (lea, marie):
        for sort in ("created_at", "-updated_at"):
            over = await chosen(read, "/reclamations", who, status=["closed", "rejected"], sort=sort)
            assert over == [claims["closed"]]
            both = await chosen(read, "/reclamations", who, status=["closed", "submitted"], sort=sort)
            assert set(both) == set(claims.values())


def test_clients_sort_by_what_they_read() -> None:
    """A sort has one column for everybody: no view may show clients something else in what is sorted."""
    for row in LISTS.values():
        view = a(row.message)
        if Role.CLIENT in row.roles and (shown := view.for_client()):
            for name in set(row.sorts) & type(shown).model_fields.keys():
                assert getattr(shown, name) == getattr(view, name), f"{row.route}: {name}"


async def test_articles_are_sorted_by_price_and_stock(pool: asyncpg.Pool, read: ReadModel) -> None:
    dear, cheap, gone = (
        a(ArticleView, price=price, in_stock=stock)
        for price, stock in (("1000.00", True), ("9.90", True), ("20", False))
    )
    await show(pool, [dear, cheap, gone])
    for limit in ("1", "50"):
        assert await through(read, "/articles", lea, sort="price", limit=limit) == [
            cheap.id,
            gone.id,
            dear.id,
        ]
        assert (await through(read, "/articles", lea, sort="-in_stock", limit=limit))[-1] == gone.id
