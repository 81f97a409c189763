"""Every row of the surface for every role: what is allowed works, what is not is refused, scope holds."""

import re
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from eventually import eventually
from papers import text_of
from recipes import CLIENT_FORMS, RECIPES, Call, Scene, Side, call, shape
from stories import done, ids, items, refused, wrong_fields
from system import Person, app_behind

from sav_contracts.actor import MANAGERS, Role
from sav_contracts.auth.account import AccountView, ActivateUser, DeactivateUser
from sav_contracts.auth.policy import ChangePolicy
from sav_contracts.auth.session import EndSession, FindSignIns
from sav_contracts.calendar.absence import AbsenceView, AddAbsence, PreviewAbsence
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.calendar.hours import PreviewHours, SetHours, WorkingHoursView
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.catalog.article_import import ArticleImportView
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.stock import StockLevelView
from sav_contracts.catalog.stocktake import StocktakeView
from sav_contracts.claims.comment import NoteView
from sav_contracts.interventions.act import ApplyActs
from sav_contracts.interventions.margin import InvoiceMarginView
from sav_contracts.messages import RequestMessage, View
from sav_contracts.notifier import MarkRead, NotificationView
from sav_contracts.reporting import GetReclamationsReport
from sav_contracts.surface import (
    SURFACE,
    DashboardRow,
    ExportRow,
    FileRow,
    ListRow,
    MessageRow,
    OwnRecordRow,
    PaperRow,
    RecordRow,
    Row,
    TextRow,
    TimelineRow,
)
from sav_edge import stream
from sav_edge.bodies import file_fields
from sav_edge.pages import PAGES
from sav_edge.routes import PREFIX

Case = tuple[Row, Role]

CALLERS = [role for role in Role if role is not Role.SYSTEM]
MAY = [(row, role) for row in SURFACE for role in CALLERS if role in row.roles]
MAY_NOT = [(row, role) for row in SURFACE for role in CALLERS if role not in row.roles]
ABOUT_ONESELF = ("/me", "/auth/logout")


def is_personal(row: Row, role: Role) -> bool:
    """Whether some of it is not there for this role, since it is another's: said here once more, apart from the views."""
    if row.path.startswith(("/articles", "/problem-types")) or Role.ANYONE in row.roles:
        return False
    if row.message is FindSignIns:
        return role is not Role.ADMIN
    return row.message in (MarkRead, EndSession) or role in (Role.CLIENT, Role.TECHNICIAN)


# `/me` has no other person's record to try, and a report is about all that its reader sees.
WITHIN = [
    (row, role)
    for row, role in MAY
    if is_personal(row, role)
    and ("{" in row.path or not row.path.startswith(ABOUT_ONESELF))
    and row.message is not GetReclamationsReport
    # Its figures name no record; that they are the caller's own: test_dashboards.
    and not isinstance(row, DashboardRow)
]
# A manager looks after some accounts, and reads the messages that are not about others' accounts.
LIMITED = [
    (row, role)
    for row, role in MAY
    if role is Role.MANAGER
    and not isinstance(row, OwnRecordRow)
    and row.message in (AccountView, DeactivateUser, ActivateUser)
]
# Whoever reaches everybody's records.
EVERYBODYS = [
    (row, role)
    for row, role in MAY
    if not is_personal(row, role)
    and (row, role) not in LIMITED
    and Role.ANYONE not in row.roles
    and not row.path.startswith(ABOUT_ONESELF)
    and (role, row.message) != (Role.MANAGER, NotificationView)
]
ABOUT_ACCOUNTS = [row for row in SURFACE if row.message is NotificationView]
# All that answers beside the table, without a token; and what `check_role` asks about all the same.
FOR_ANYBODY = {
    "/",
    "/docs",
    "/docs/start.js",
    "/docs/assets/{file_path:path}",
    "/openapi.json",
    "/asyncapi.json",
    "/schemas/{file:str}",
    "/health/live",
    "/health/ready",
    "/.well-known/jwks.json",
    "/pages/look.css",
    "/pages/logo",
    "/back-from-payment",
    *(f"/{page.name}" for page in PAGES),
    *(f"/{page.name}.pdf" for page in PAGES if page.paper),
}
FOR_ROLES = {stream.ROW.path}
NEVER_FOR_CLIENTS = {
    AbsenceView,
    ArticleCostView,
    ArticleImportView,
    InvoiceMarginView,
    StockLevelView,
    NoteView,
    ReservationView,
    StocktakeView,
    WorkingHoursView,
    ConflictView,
}


def named(case: Case) -> str:
    row, role = case
    return f"{row.route} as {role}"


async def asked(case: Case, scene: Scene, side: Side, fresh: bool = True) -> tuple[Call, httpx.Response]:
    row, role = case
    what = await call(row, scene, side, role, fresh)
    return what, await (what.who or scene.who(role)).ask(row.method, what.path, **what.sent)


def test_every_command_and_query_has_a_recipe_and_every_recipe_a_row() -> None:
    rows = {row.route for row in SURFACE if issubclass(row.message, RequestMessage)}
    assert RECIPES.keys() == rows, "add what the row needs to tests/recipes"


@pytest.mark.parametrize("case", MAY, ids=named)
async def test_a_role_that_is_in_the_row_is_served(case: Case, scene: Scene) -> None:
    """With what is theirs, or of the other side, where everybody's is theirs to reach."""
    row, role = case
    what, answer = await asked(case, scene, scene.far if case in EVERYBODYS else scene.near)
    assert answer.status_code == row.status, answer.text
    check_served(row, role, what, answer)
    await check_record(row, what.who or scene.who(role), answer)


def check_served(row: Row, role: Role, what: Call, answer: httpx.Response) -> None:
    """It is the record that was asked for, in the form that this role reads."""
    if isinstance(row, FileRow):
        file = what.record[row.file]
        assert answer.headers["content-type"] == file["media_type"]
        assert len(answer.content) == file["size"]
        return
    if isinstance(row, PaperRow):
        assert answer.headers["content-type"] == "application/pdf"
        assert what.record["serial"] in text_of(answer.content)
        return
    if isinstance(row, ExportRow):
        assert what.record["reference"] in answer.text
        return
    if isinstance(row, TextRow):
        assert answer.headers["content-type"] == row.media_type
        assert answer.text
        return
    told = answer.json()
    if isinstance(row, DashboardRow):
        shown = row.shown_to_client if role is Role.CLIENT else row.shown
        assert told.keys() == shown.model_fields.keys()
        assert told["open"]["count"] == sum(one["count"] for one in told["statuses"])
    elif isinstance(row, TimelineRow):
        assert told["items"]
    elif isinstance(row, ListRow):
        assert what.record["id"] in [item["id"] for item in told["items"]]
        assert all(item.keys() == shape(row, role).model_fields.keys() for item in told["items"])
    else:
        assert told.keys() == shape(row, role).model_fields.keys()
        shape(row, role).model_validate(told)
        assert not isinstance(row, RecordRow) or told["id"] == what.record["id"]


async def check_record(row: Row, who: Person, answer: httpx.Response) -> None:
    """A record that a command answers has its tag; a new one is where the answer says."""
    if not issubclass(row.message, RequestMessage) or not issubclass(row.message.reply_type(), View):
        return
    record = answer.json()
    assert answer.headers["etag"].startswith(f'"{record["id"]}.{record["version"]}')
    assert ("location" in answer.headers) == (row.status == 201)
    if row.status == 201:
        found = await who.http.get(answer.headers["location"], headers=who.headers())
        assert done(found)["id"] == record["id"]
        assert found.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("case", MAY_NOT, ids=named)
async def test_a_role_that_is_not_in_the_row_is_refused(case: Case, scene: Scene) -> None:
    _, role = case
    _, answer = await asked(case, scene, scene.near, fresh=False)
    if role is Role.ANYONE:
        refused(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        refused(answer, 403, "not_allowed")


@pytest.mark.parametrize("case", [case for case in MAY_NOT if isinstance(case[0], MessageRow)], ids=named)
async def test_the_owner_refuses_the_role_again_behind_the_edge(case: Case, scene: Scene) -> None:
    row, role = case
    message = message_of(row, await call(row, scene, scene.near, role, fresh=False))
    answer = await scene.system.asks.ask(message, 2, token=scene.who(role).token or None)
    assert answer.problem
    assert answer.problem.status == (401 if role is Role.ANYONE else 403)
    assert answer.events == []


def message_of(row: Row, what: Call) -> RequestMessage[Any]:
    """What the edge would send, with files that are stored nowhere."""
    assert issubclass(row.message, RequestMessage)
    in_path = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", row.path), what.path)
    assert in_path
    sent = what.sent.get("params") or what.sent.get("json") or what.sent.get("data") or {}
    takes = file_fields(row.message)
    files: dict[str, Any] = {}
    for name in what.sent.get("files", ()):
        kept = min(takes[name].media_types, key=lambda media_type: media_type != "image/png")
        file = {"sha256": "0" * 64, "media_type": kept, "size": 1, "name": "a"}
        files[name] = [file] if takes[name].many else file
    return row.message.model_validate(sent | files | in_path.groupdict())


@pytest.mark.parametrize("case", WITHIN, ids=named)
async def test_what_is_another_persons_is_not_there(case: Case, scene: Scene) -> None:
    row, role = case
    what, answer = await asked(case, scene, scene.far, fresh=False)
    if isinstance(row, ListRow) and "{" not in row.path:
        assert what.record["id"] not in [item["id"] for item in done(answer)["items"]]
    elif row.message is MarkRead and (
        role is Role.ADMIN or (role is Role.MANAGER and what.record["category"] != "account")
    ):
        # They see that it was sent; it is not theirs to read.
        refused(answer, 403, "not_allowed")
    elif row.message is ApplyActs:
        # Each act is answered on its own.
        [act] = done(answer)["acts"]
        assert (act["outcome"], act["problem"]["code"]) == ("refused", "not_found")
    else:
        refused(answer, 404, "not_found")


async def test_a_report_counts_what_its_reader_sees(scene: Scene) -> None:
    async def is_counted(who: Person) -> bool:
        report = done(await who.get("/reports/reclamations"))
        return bool(report["opened"] == len(await ids(who, "/reclamations", limit=200)))

    for side in (scene.near, scene.far):
        for who in (side.client, side.technician):
            await eventually(partial(is_counted, who))


@pytest.mark.parametrize("row", [row for row in SURFACE if "{" in row.path], ids=lambda row: row.route)
async def test_a_record_that_there_is_not_is_not_found(row: Row, scene: Scene) -> None:
    for role in row.roles - {Role.SYSTEM}:
        what = await call(row, scene, scene.near, role, fresh=False)
        nowhere = re.sub(r"{\w+}", lambda _: str(uuid4()), row.path)
        answer = await scene.who(role).ask(row.method, nowhere, **what.sent)
        if row.message in (SetHours, PreviewHours, AddAbsence, PreviewAbsence) and role in MANAGERS:
            # The calendar knows technicians by news alone, and cannot tell one that is late from one that is not.
            assert wrong_fields(answer) == {"technician_id"}
        elif row.message is ChangePolicy:
            # All that there are have names that everybody knows.
            assert wrong_fields(answer) == {"name"}
        elif "{token}" in row.path:
            # A link that was never ours is answered like one that was used.
            refused(answer, 410, "link_expired")
        else:
            refused(answer, 404, "not_found")


@pytest.mark.parametrize("case", LIMITED, ids=named)
async def test_what_is_beyond_a_roles_limit_is_not_there(case: Case, scene: Scene) -> None:
    row, role = case
    for who in (scene.admin, scene.manager):
        if isinstance(row, ListRow):
            since = {"role": who.role, "limit": 200}
            assert done(await scene.who(role).get(row.path, **since))["items"] == []
        else:
            path = re.sub(r"{\w+}", who.id, row.path)
            refused(await scene.who(role).ask(row.method, path), 404, "not_found")
        done(await who.get("/me"))


@pytest.mark.parametrize("row", ABOUT_ACCOUNTS, ids=lambda row: row.route)
async def test_what_is_told_about_an_account_is_for_its_person_and_admins(row: Row, scene: Scene) -> None:
    for whose in scene.people():
        about = {"user_id": whose.id, "category": "account"}
        [message, *_] = await items(scene.admin, "/notifications", **about)
        for who in (scene.manager, scene.admin):
            may = who in (whose, scene.admin)
            if isinstance(row, ListRow):
                assert (message["id"] in await ids(who, row.path, **about)) is may
            else:
                answer = await who.get(re.sub(r"{\w+}", message["id"], row.path))
                assert answer.status_code == (200 if may else 404)
            if not may:
                refused(await who.post(f"/notifications/{message['id']}/read"), 404, "not_found")


def test_nothing_answers_that_the_table_or_this_page_does_not_name(scene: Scene) -> None:
    app = app_behind(scene.system.http)
    known = {re.sub(r"{(\w+)}(\.\w+)?", r"{\1:str}", PREFIX + row.path) for row in SURFACE}
    assert {route.path for route in app.routes} == known | FOR_ANYBODY | FOR_ROLES


@pytest.mark.parametrize("role", CALLERS)
async def test_whoever_is_signed_in_listens_to_changes(role: Role, scene: Scene) -> None:
    """A stream has no end: one that would begin is refused for a parameter that it does not take."""
    answer = await scene.system.http.get("/stream?x=1", headers=scene.who(role).headers())
    if role in stream.ROW.roles:
        assert wrong_fields(answer) == {"x"}
    else:
        refused(answer, 401, "not_signed_in")


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


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/me/nothing", "/auth", "/clients/a/b"])
async def test_a_path_that_is_not_in_the_table_is_no_route(path: str, scene: Scene) -> None:
    for method in ("GET", "POST", "DELETE"):
        refused(await scene.admin.ask(method, path), 404, "not_found")


def test_every_view_that_a_client_may_see_has_a_form_written_down_here() -> None:
    rows = [row for row in SURFACE if issubclass(row.message, View)]
    own = {row.message for row in rows if "for_client" in vars(row.message)}
    assert own == set(CLIENT_FORMS) | NEVER_FOR_CLIENTS
    assert not [row for row in rows if row.message in NEVER_FOR_CLIENTS and Role.CLIENT in row.roles]
