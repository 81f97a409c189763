"""What holds for all messages together."""

import json
import re
from collections.abc import Callable
from functools import partial
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from asked import ASKED
from given_views import a
from pydantic import BaseModel, SecretStr

from sav_chassis.model import Aggregate, Base
from sav_chassis.process import runner
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_contracts import message_types
from sav_contracts.actor import Role
from sav_contracts.auth.account import LOOKED_AFTER, AccountView, RegisterClient
from sav_contracts.auth.session import FindSessions, SignOut
from sav_contracts.calendar.offer import GetOfferByLink
from sav_contracts.calendar.subscription import GetCalendarFeed
from sav_contracts.calendar.visit_link import GetVisitByLink
from sav_contracts.catalog.product import GetWarranty, ProductView
from sav_contracts.claims.draft import GetDraft
from sav_contracts.claims.order import GetOrderWithdrawalByLink
from sav_contracts.claims.problems import FindProblemTypes
from sav_contracts.claims.reclamation import ReclamationForClient, ReclamationView
from sav_contracts.edge import FindRequests
from sav_contracts.interventions.closing import GetEReporting, GetJournals, ReadLedger
from sav_contracts.interventions.estimate import GetEstimateByLink, GetWithdrawalByLink
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.paper import GetPaperByLink
from sav_contracts.interventions.payment import GetSandboxCheckout, PaymentView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Command, Event, Query, RequestMessage, View, persons
from sav_contracts.reporting import GetFeedbackByLink
from sav_contracts.surface import SURFACE, FileRow, ListRow, MessageRow, RecordRow, Row
from sav_contracts.visibility import (
    ALL,
    NOTHING,
    All,
    ChildOf,
    Limited,
    Named,
    Nothing,
    Own,
    Rule,
    alternatives,
)
from sav_ops import rooms
from sav_ops.documents.generated import outdated

SERVICES = [rooms.load(name).load() for name in rooms.SERVICES]


@pytest.mark.parametrize("message", ASKED, ids=lambda message: message.__name__)
def test_every_command_and_query_has_one_row_and_one_handler(message: type[RequestMessage[Any]]) -> None:
    assert issubclass(message, (Command, Query))
    assert [row.message for row in SURFACE].count(message) == (0 if message.internal_only else 1)
    assert [service.name for service in SERVICES if message in service.handlers] == [message.owner]


def test_every_row_that_asks_has_a_handler() -> None:
    handled = {message for service in SERVICES for message in service.handlers if not message.internal_only}
    assert {row.message for row in SURFACE if isinstance(row, MessageRow)} == handled


def test_no_two_rows_answer_the_same_request() -> None:
    routes = [re.sub(r"{\w+}", "{}", row.route) for row in SURFACE]
    assert len(routes) == len(set(routes))


def test_what_stands_in_a_path_is_a_field_of_the_command() -> None:
    for row in SURFACE:
        if isinstance(row, MessageRow):
            assert set(re.findall(r"{(\w+)}", row.path)) <= set(row.message.model_fields), row.route


def test_filters_and_sort_keys_are_fields_of_the_view() -> None:
    for row in SURFACE:
        if isinstance(row, ListRow):
            assert {*row.filters, *row.sorts} <= set(row.message.model_fields), row.route


def rules(view: type[View]) -> list[Rule]:
    return [rule for role in Role for rule in alternatives(view.visible.to(role))]


def test_what_has_no_form_for_clients_shows_them_nothing() -> None:
    for view in message_types.VIEWS.values():
        if get_type_hints(view.for_client)["return"] is NoneType:
            assert view.visible.client == NOTHING, view


def test_every_view_has_what_its_rules_ask_for() -> None:
    for view in message_types.VIEWS.values():
        for rule in rules(view):
            match rule:
                case Own(field):
                    assert (
                        field in {"id", "user_id", "client_id", "technician_id"} & view.model_fields.keys()
                    ), view
                case Limited(field, values):
                    assert set(values) < set(get_args(view.model_fields[field].annotation) or Role), view
                case Named(names, whose, _, kinds):
                    for kind in kinds:
                        assert {names, whose} <= message_types.VIEWS[kind].model_fields.keys(), (view, kind)
                case ChildOf():
                    assert view.parent is not View.parent, view
                case All() | Nothing():
                    pass
                case _:
                    raise AssertionError(f"{rule!r} is tried nowhere")


def test_every_record_of_a_service_has_the_fields_that_its_rules_ask_for() -> None:
    records = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Aggregate)]
    assert len(records) > 15
    for record in records:
        for rule in rules(record.shown_as()):
            if isinstance(rule, (Own, Limited)):
                assert hasattr(record, rule.field), record


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_keeps_the_copies_that_its_callers_are_judged_by(service: Service) -> None:
    service.check_copies()


@pytest.mark.parametrize("view", [ReclamationView, InterventionView])
def test_a_service_that_lacks_one_of_them_does_not_start(
    view: type[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = next(service for service in SERVICES if service.name == "catalog")
    monkeypatch.setattr(catalog, "mirrored", catalog.mirrored - {view})
    monkeypatch.setattr(catalog, "checks", [])
    monkeypatch.setattr(catalog, "check_declared", lambda: None)
    monkeypatch.setattr(
        runner, "run", lambda process: [check(Settings(), "catalog") for check in catalog.checks]
    )
    with pytest.raises(CannotStart, match=f"GetWarranty is judged by copies of each {view.kind()}, which"):
        runner.run_service(catalog)


def test_every_computed_query_names_the_view_that_it_is_computed_from() -> None:
    without = {row.message for row in SURFACE if issubclass(row.message, Query) and row.message.of is None}
    # Of the caller's own sessions and draft; for admins alone; the same for everybody.
    own = {FindSessions, GetDraft, FindRequests, FindProblemTypes}
    # For whoever holds the link; of the ledger, which managers read as a whole.
    by_link = {
        GetOrderWithdrawalByLink,
        GetEstimateByLink,
        GetWithdrawalByLink,
        GetFeedbackByLink,
        GetOfferByLink,
        GetPaperByLink,
        GetSandboxCheckout,
        GetVisitByLink,
        GetCalendarFeed,
    }
    assert without == own | by_link | {ReadLedger, GetJournals, GetEReporting}


SHOWN = AccountView.visible.to(Role.MANAGER)


@pytest.mark.parametrize("rule", [SHOWN, Own("user_id"), LOOKED_AFTER, Limited("role", ("client",))], ids=str)
def test_a_row_may_show_less_than_its_view(rule: Rule) -> None:
    row = RecordRow("Some", "GET /some", AccountView, frozenset({Role.MANAGER}), only={Role.MANAGER: rule})
    assert row.rule(Role.MANAGER) == rule


@pytest.mark.parametrize(
    "rule",
    [ALL, Own("id"), Own("client_id"), Limited("role", ("client", "admin")), Limited("status", ("client",)), LOOKED_AFTER | ALL],
    ids=str,
)  # fmt: skip
def test_a_row_that_shows_more_than_its_view_is_refused(rule: Rule) -> None:
    with pytest.raises(TypeError, match="GET /some shows a manager more than AccountView does"):
        RecordRow("Some", "GET /some", AccountView, frozenset({Role.MANAGER}), only={Role.MANAGER: rule})


def test_a_row_that_narrows_for_nobody_or_without_a_view_is_refused() -> None:
    with pytest.raises(TypeError, match="shows a client more"):
        RecordRow(
            "Some", "GET /some", AccountView, frozenset({Role.MANAGER}), only={Role.CLIENT: Own("user_id")}
        )
    with pytest.raises(TypeError, match="there is no view to narrow"):
        MessageRow(
            "Sign out", "POST /some", SignOut, frozenset({Role.CLIENT}), only={Role.CLIENT: Own("user_id")}
        )


@pytest.mark.parametrize(
    "row",
    [
        partial(ListRow, filters=("city",)),
        partial(ListRow, sorts=("city",)),
        partial(ListRow, search=("city",)),
        partial(ListRow, search=("city.place",)),
        partial(FileRow, file="city"),
    ],
)
def test_a_row_that_asks_for_what_is_no_field_of_its_view_is_refused(row: Callable[..., Row]) -> None:
    with pytest.raises(TypeError, match="GET /some: ProductView has no field city"):
        row("Some", "GET /some", ProductView, frozenset({Role.MANAGER}))


@pytest.mark.parametrize("message", [InvoiceView, PaymentView, GetWarranty])
def test_a_row_for_somebody_who_sees_nothing_of_its_view_is_refused(message: type[Any]) -> None:
    role = Role.ANYONE if message is GetWarranty else Role.TECHNICIAN
    with pytest.raises(TypeError, match=f"is for a {role}, to whom .* shows nothing"):
        Row("Some", "GET /some", message, frozenset({role}))


def test_every_event_belongs_to_a_service_and_its_state_to_the_same_owner() -> None:
    for name, event in message_types.EVENTS.items():
        assert event.owner in {service.name for service in SERVICES}
        assert event.state_type().owner == event.owner
        assert name == f"{event.owner}.{event.__name__}.v{event.major}"


def test_what_a_client_gets_holds_no_field_that_the_view_lacks() -> None:
    view = a(ReclamationView, client_id=UUID(int=2), technician_id=UUID(int=3))
    shown = view.for_client()
    assert type(shown) is ReclamationForClient
    assert "priority" not in shown.model_dump()
    assert persons(view) == {UUID(int=2), UUID(int=3)}


def test_a_secret_is_masked_but_on_the_wire() -> None:
    command = RegisterClient(email="a@example.com", password=SecretStr("correct horse"), name="A")
    assert "correct horse" not in command.model_dump_json() + repr(command)
    assert json.loads(command.wire())["password"] == "correct horse"


def test_every_text_that_a_caller_sends_refuses_nul() -> None:
    """PostgreSQL cannot store it: it must be a wrong field, not a fault."""
    for message in ASKED:
        for name, field in message.model_fields.items():
            if field.annotation is str:
                assert field.metadata, f"{message.__name__}.{name}: use Line, Prose or Email"


def test_every_message_says_what_it_is() -> None:
    for message in [*ASKED, *message_types.EVENTS.values(), *message_types.VIEWS.values()]:
        assert message.__doc__, message
        assert not message.__doc__.startswith(("Usage", "!!!")), message


def test_unknown_fields_are_refused_in_commands_and_ignored_in_events() -> None:
    for message in ASKED:
        assert message.model_config.get("extra") == "forbid", message
    for base in (Event, View):
        assert base.model_config.get("extra", "ignore") == "ignore"


def test_generated_documents_are_up_to_date() -> None:
    assert outdated() == []


def test_roles_of_the_surface_are_people() -> None:
    for row in SURFACE:
        assert Role.SYSTEM not in row.roles or Role.ANYONE in row.roles, row.route


def test_replies_are_models() -> None:
    assert all(issubclass(message.reply_type(), BaseModel) for message in ASKED)
