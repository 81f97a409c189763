"""Times and days in requests, at every place that takes one: what cannot be stored or shown is named, never a fault."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from asked import TAKEN, WRONG, leaves
from recipes import RECIPES, Scene, call
from stories import wrong_fields

from sav_contracts.actor import Role
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE, ListRow, Row, TimelineRow
from sav_edge.list_query import FROM_AND_TO, SINCE_AND_UNTIL

LISTS = [row for row in SURFACE if isinstance(row, ListRow | TimelineRow)]
TIMED = {
    row.route: (row, times)
    for row in SURFACE
    if issubclass(row.message, RequestMessage)
    and (times := [leaf for leaf in leaves(row.message) if leaf.form in ("date", "date-time")])
}
ID = "0190c0de-0000-7000-8000-000000000000"


def within(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The same with this value in that place."""
    if not path:
        return value
    name, *further = path
    if name == 0:
        return [within({}, tuple(further), value)]
    return body | {name: within(body.get(name, {}), tuple(further), value)}


def test_all_times_of_the_surface_are_here() -> None:
    assert {route: len(times) for route, (_, times) in TIMED.items()} == {
        "GET /users/{account_id}/logins": 1,
        "POST /articles": 1,
        "PATCH /articles/{article_id}": 1,
        "POST /products": 3,
        "POST /products/{product_id}/verify": 3,
        "POST /products/{product_id}/covers": 2,
        "POST /products/{product_id}/replace": 1,
        "GET /stock/count-sheet": 1,
        "GET /stock/report": 2,
        "POST /stock/stocktakes": 1,
        "GET /products/{product_id}/warranty": 1,
        "POST /reclamations": 1,
        "PUT /me/reclamation-draft": 1,
        "POST /reclamations/bulk": 2,
        "POST /interventions/{intervention_id}/moves": 1,
        "PUT /interventions/{intervention_id}/work": 1,
        "POST /interventions/batch": 3,
        "POST /reclamations/{reclamation_id}/assign": 2,
        "POST /interventions": 2,
        "POST /orders/{order_id}/withdrawal": 1,
        "POST /estimates/{estimate_id}/validate": 1,
        "POST /estimates/{estimate_id}/acceptance": 1,
        "POST /estimates/{estimate_id}/withdrawal": 1,
        "POST /invoices/{invoice_id}/payments": 1,
        "POST /clients/{client_id}/payments": 1,
        "GET /journals": 2,
        "GET /e-reporting": 2,
        "GET /slots": 2,
        "GET /visit/{token}": 1,
        "POST /visit/{token}": 1,
        "PUT /technicians/{technician_id}/hours": 1,
        "POST /technicians/{technician_id}/hours/preview": 1,
        "POST /technicians/{technician_id}/absences": 4,
        "POST /technicians/{technician_id}/absences/preview": 4,
        "POST /appointments/hold": 1,
        "POST /appointments/{appointment_id}/reschedule": 1,
        "POST /conflicts/{conflict_id}/resolve": 2,
        "POST /conflicts/{conflict_id}/offer": 2,
        "GET /conflicts/plan": 1,
        "POST /conflicts/plan": 2,
        "GET /clients/{client_id}/statement": 2,
        "GET /reports/reclamations": 2,
        "GET /audit": 2,
    }


@pytest.mark.parametrize("route", TIMED)
async def test_a_time_that_cannot_be_is_named_to_whoever_asks(scene: Scene, route: str) -> None:
    row, times = TIMED[route]
    for role in (role for role in row.roles if role is not Role.SYSTEM):
        asked = await call(row, scene, scene.near, role, fresh=False)
        # A form with a file has texts only.
        form = {"files": RECIPES[route].files} if RECIPES[route].files else {}
        who, kind = scene.who(role), "params" if row.method == "GET" else "data" if form else "json"
        right = RECIPES[route].body(asked.record)
        for leaf in times:
            for value in WRONG[leaf.form]:
                if row.method == "GET" and value in ([], {}):
                    continue
                if form and not (isinstance(value, str) and value):
                    continue
                sent = {kind: within(right, leaf.path, value)} | form
                answer = await who.ask(row.method, asked.path, **sent)
                named = {
                    leaf.path[0]
                    if name.startswith(("slot.", "preferred_times.", "items.", "acts.", "times."))
                    else name
                    for name in wrong_fields(answer)
                }
                assert named >= {str(leaf.path[0])}, f"{role} {route} {leaf.path}: {value!r}: {answer.text}"
            if row.method == "GET":
                for value in TAKEN[leaf.form]:
                    answer = await who.ask("GET", asked.path, params=within(right, leaf.path, value))
                    # What is asked for by a link is asked for by one that is not ours.
                    expected = (410, 422) if "{token}" in route else (200, 422)
                    assert answer.status_code in expected, f"{role} {route} {value}: {answer.text}"


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.route)
async def test_the_times_of_a_list_are_looked_at(scene: Scene, row: Row) -> None:
    role = next(role for role in (Role.ADMIN, Role.MANAGER, Role.CLIENT) if role in row.roles)
    asked = await call(row, scene, scene.near, role)
    during = FROM_AND_TO if isinstance(row, ListRow) and row.has_interval else {}
    for name in [*SINCE_AND_UNTIL, *during] if isinstance(row, ListRow) else []:
        for value in WRONG["date-time"]:
            if value not in ([], {}):
                answer = await scene.who(role).get(asked.path, **{name: value})
                assert wrong_fields(answer) == {name}, f"{row.route} {name}={value!r}: {answer.text}"
        for value in TAKEN["date-time"]:
            answer = await scene.who(role).get(asked.path, **{name: value})
            assert answer.status_code == 200, answer.text
    for value in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02T09:00:00", "10000-01-01T00:00:00Z"):  # fmt: skip
        text = json.dumps(["created_at", value, ID])
        mark = urlsafe_b64encode(text.encode()).decode().rstrip("=")
        assert wrong_fields(await scene.who(role).get(asked.path, after=mark)) == {"after"}, value
