"""What holds for all messages together."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from sav_contracts import catalogue
from sav_contracts.actor import Role
from sav_contracts.auth.account import RegisterClient
from sav_contracts.claims import ReclamationForClient, ReclamationView, Safety
from sav_contracts.messages import Asked, Command, Event, Query, Scope, View, persons
from sav_contracts.surface import SURFACE, Serves
from sav_ops import rooms
from sav_ops.generated import outdated

SERVICES = [rooms.load(name).load() for name in rooms.SERVICES]
ASKED = [
    value
    for module in catalogue.MODULES
    for value in vars(module).values()
    if isinstance(value, type)
    and issubclass(value, Asked)
    and value.__module__ == module.__name__
    and "[" not in value.__name__
]


@pytest.mark.parametrize("message", ASKED, ids=lambda message: message.__name__)
def test_every_command_and_query_has_one_row_and_one_handler(message: type[Asked[Any]]) -> None:
    assert issubclass(message, (Command, Query))
    assert [row.message for row in SURFACE].count(message) == (0 if message.inside else 1)
    assert [service.name for service in SERVICES if message in service.handlers] == [message.owner]


def test_every_row_that_asks_has_a_handler() -> None:
    handled = {message for service in SERVICES for message in service.handlers if not message.inside}
    assert {row.message for row in SURFACE if row.serves is Serves.REPLY} == handled


def test_no_two_rows_answer_the_same_request() -> None:
    routes = [re.sub(r"{\w+}", "{}", row.route) for row in SURFACE]
    assert len(routes) == len(set(routes))


def test_what_stands_in_a_path_is_a_field_of_the_command() -> None:
    for row in SURFACE:
        if row.serves is Serves.REPLY:
            assert set(re.findall(r"{(\w+)}", row.path)) <= set(row.message.model_fields), row.route


def test_filters_and_sort_keys_are_fields_of_the_view() -> None:
    for row in SURFACE:
        if row.serves in (Serves.PAGE, Serves.TIMELINE):
            assert {*row.filters, *row.sorts} <= set(row.message.model_fields), row.route


def test_every_view_has_the_fields_of_its_scope() -> None:
    needed = {Scope.PERSON: {"user_id"}, Scope.CHILD: {"parent"}}
    for view in catalogue.VIEWS.values():
        fields = set(view.model_fields) | ({"parent"} if "parent" in vars(view) else set())
        assert needed.get(view.scope, set()) <= fields, view
        assert view.scope is not Scope.ROOT or fields & {"client_id", "technician_id"}, view


def test_every_event_belongs_to_a_service_and_its_state_to_the_same_owner() -> None:
    for name, event in catalogue.EVENTS.items():
        assert event.owner in {service.name for service in SERVICES}
        assert event.state_type().owner == event.owner
        assert name == f"{event.owner}.{event.__name__}.v{event.major}"


def test_what_a_client_gets_holds_no_field_that_the_view_lacks() -> None:
    view = ReclamationView(
        id=UUID(int=1),
        version=1,
        created_at="2026-01-01T00:00:00Z",
        updated_at="2026-01-01T00:00:00Z",
        reference="REC-2026-000001",
        client_id=UUID(int=2),
        technician_id=UUID(int=3),
        article="Chaudière",
        problem_type="leak",
        description="d",
        safety=Safety(),
        status="assigned",
        coverage="unknown",
        priority="high",
        priority_reason="because",
    )
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
    for message in [*ASKED, *catalogue.EVENTS.values(), *catalogue.VIEWS.values()]:
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
        assert Role.SYSTEM not in row.reach or Role.ANYONE in row.reach, row.route


def test_replies_are_models() -> None:
    assert all(issubclass(message.reply_type(), BaseModel) for message in ASKED)
