"""Every row of the surface for every role: what is allowed works, what is not is refused, scope holds."""

import re

import pytest
from recipes import CLIENT_FORMS, RECIPES, Scene, shape
from stories import refused

from sav_contracts.actor import Role
from sav_contracts.messages import Asked, View
from sav_contracts.surface import SURFACE, Reach, Row, Serves

CALLERS = [role for role in Role if role is not Role.SYSTEM]
MAY = [(row, role) for row in SURFACE for role in CALLERS if role in row.reach]
MAY_NOT = [(row, role) for row in SURFACE for role in CALLERS if role not in row.reach]
# `/me` has no other person's record to try.
WITHIN = [
    (row, role)
    for row, role in MAY
    if row.reach[role] in (Reach.OWN, Reach.MINE) and row.serves is not Serves.SELF
]


def named(case: tuple[Row, Role]) -> str:
    row, role = case
    return f"{row.route} as {role}"


def test_every_row_has_a_recipe_and_every_recipe_a_row() -> None:
    assert RECIPES.keys() == {row.route for row in SURFACE}, "add what the row needs to tests/recipes.py"


@pytest.mark.parametrize("case", MAY, ids=named)
async def test_a_role_that_is_in_the_row_is_served(case: tuple[Row, Role], scene: Scene) -> None:
    row, role = case
    call = await RECIPES[row.route](scene, scene.near, role)
    answer = await scene.who(role).ask(row.method, call.path, json=call.json)
    assert answer.status_code == row.status, answer.text
    told = answer.json()
    if row.serves is Serves.TIMELINE:
        assert told["items"]
    elif row.serves is Serves.PAGE:
        assert call.shows in [item["id"] for item in told["items"]]
        assert all(item.keys() == shape(row, role).model_fields.keys() for item in told["items"])
    else:
        assert told.keys() == shape(row, role).model_fields.keys()
        shape(row, role).model_validate(told)


@pytest.mark.parametrize("case", MAY_NOT, ids=named)
async def test_a_role_that_is_not_in_the_row_is_refused(case: tuple[Row, Role], scene: Scene) -> None:
    row, role = case
    call = await RECIPES[row.route](scene, scene.near, role)
    answer = await scene.who(role).ask(row.method, call.path, json=call.json)
    if role is Role.ANYONE:
        refused(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        refused(answer, 403, "not_allowed")


@pytest.mark.parametrize("case", [case for case in MAY_NOT if case[0].serves is Serves.REPLY], ids=named)
async def test_the_owner_refuses_the_role_again_behind_the_edge(case: tuple[Row, Role], scene: Scene) -> None:
    row, role = case
    call = await RECIPES[row.route](scene, scene.near, role)
    assert issubclass(row.message, Asked)
    in_path = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", row.path), call.path)
    assert in_path
    message = row.message.model_validate((call.json or {}) | in_path.groupdict())
    answer = await scene.system.asks.ask(message, 2, token=scene.who(role).token or None)
    assert answer.problem
    assert answer.problem.status == (401 if role is Role.ANYONE else 403)
    assert answer.events == []


@pytest.mark.parametrize("case", WITHIN, ids=named)
async def test_what_is_another_persons_is_not_there(case: tuple[Row, Role], scene: Scene) -> None:
    row, role = case
    call = await RECIPES[row.route](scene, scene.far, role)
    answer = await scene.who(role).ask(row.method, call.path, json=call.json)
    if row.serves is Serves.PAGE:
        assert call.shows not in [item["id"] for item in answer.json()["items"]]
    else:
        refused(answer, 404, "not_found")


@pytest.mark.parametrize("case", [case for case in MAY if case[0].reach[case[1]] is Reach.ALL], ids=named)
async def test_a_role_that_reaches_all_reaches_the_other_side_too(
    case: tuple[Row, Role], scene: Scene
) -> None:
    row, role = case
    call = await RECIPES[row.route](scene, scene.far, role)
    answer = await scene.who(role).ask(row.method, call.path, json=call.json)
    assert answer.status_code == row.status, answer.text
    if row.serves is Serves.PAGE:
        assert call.shows in [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize("role", [role for role in CALLERS if role is not Role.ANYONE])
async def test_everybody_reads_their_own_account_only(role: Role, scene: Scene) -> None:
    who = scene.who(role)
    account = (await who.get("/me")).json()
    assert (account["id"], account["email"], account["role"]) == (who.id, who.email, role)


@pytest.mark.parametrize("path", sorted({row.path for row in SURFACE}))
async def test_a_method_that_is_not_in_the_table_is_no_route(path: str, scene: Scene) -> None:
    known = {row.method for row in SURFACE if row.path == path}
    here = path.replace("{", "").replace("}", "")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        answer = await scene.admin.ask(method, here)
        refused(answer, 405, "method_not_allowed")
        assert known <= set(answer.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/me/password", "/auth", "/clients/a/b"])
async def test_a_path_that_is_not_in_the_table_is_no_route(path: str, scene: Scene) -> None:
    for method in ("GET", "POST", "DELETE"):
        refused(await scene.admin.ask(method, path), 404, "not_found")


def test_every_view_that_a_client_may_see_has_a_form_written_down_here() -> None:
    views = [row.message for row in SURFACE if issubclass(row.message, View)]
    smaller = {view for view in views if "for_client" in vars(view)}
    assert smaller == set(CLIENT_FORMS)
