"""The documents made from code: what stands in them, and that drift is found."""

import ast
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pytest

from sav_contracts.actor import Role
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.visit_photo import VisitPhotoView
from sav_contracts.message_types import EVENTS, VIEWS
from sav_contracts.messages import PersonId, RequestMessage, View
from sav_contracts.slot import Slot
from sav_contracts.surface import SURFACE, Row
from sav_ops import rooms
from sav_ops.documents import generated
from sav_ops.home import REPO


def test_a_document_that_differs_from_the_code_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.json"
    monkeypatch.setattr(generated, "REPO", tmp_path)
    monkeypatch.setattr(generated, "DOCUMENTS", [(page, lambda: "today")])
    assert generated.outdated() == [page]
    generated.write()
    assert page.read_text() == "today"
    assert generated.outdated() == []


def test_every_document_is_the_same_every_time() -> None:
    names = [path.name for path, _ in generated.DOCUMENTS]
    assert names == [
        "topology.json",
        "asyncapi.json",
        "codes.json",
        "codes_of_rooms.json",
        "roles.md",
        "events.md",
        "errors.md",
        "imports.md",
    ]
    for _, text in generated.DOCUMENTS:
        assert text() == text()
        assert text().endswith("\n")


def chapter(page: str, title: str) -> list[str]:
    """The lines below a heading, up to the next one of its rank."""
    mark = title.split()[0]
    below = page.split(f"\n{title}\n", 1)[1].splitlines()
    end = next((n for n, line in enumerate(below) if line.startswith(f"{mark} ")), len(below))
    return below[:end]


def test_every_row_of_the_surface_stands_in_its_owners_chapter_with_its_roles() -> None:
    page = generated.roles()
    for row in SURFACE:
        [line] = [line for line in chapter(page, f"## {row.message.owner}") if f"| `{row.route}` |" in line]
        told = [cell.strip() for cell in line.strip("|").split("|")]
        assert told[0] == row.feature
        assert told[2:] == [may(row, role) for role in generated.COLUMNS]


def may(row: Row, role: Role) -> str:
    if role not in row.roles:
        return "–"
    return "anybody" if Role.ANYONE in row.roles else str(row.only.get(role, "yes"))


def test_what_each_role_sees_of_a_view_stands_in_its_owners_chapter_in_words() -> None:
    page = generated.roles()
    for view in VIEWS.values():
        table = chapter(chapter_text(page, view), "### Who sees which records")
        [line] = [line for line in table if line.startswith(f"| {view.kind().replace('_', ' ')} |")]
        told = [cell.strip() for cell in line.strip("|").split("|")][1:]
        rules = [str(view.visible.to(role)) for role in generated.COLUMNS]
        assert [cell.removesuffix(", once they are for clients") for cell in told] == rules
        once = view in (ReportView, InvoiceView, EstimateView, AttestationView, VisitPhotoView)
        assert [cell.endswith(", once they are for clients") for cell in told] == [once, False, False, False]


def chapter_text(page: str, view: type[View]) -> str:
    return "\n".join(["", *chapter(page, f"## {view.owner}")])


def test_every_move_that_something_makes_is_told() -> None:
    page = generated.roles()
    found = [(room, table) for room in rooms.SERVICES for table in generated.lifecycles(room) if table.made]
    assert {"account", "reclamation", "intervention"} <= {table.kind for _, table in found}
    for room, table in found:
        title = f"### States of a record: {table.kind.replace('_', ' ')}"
        lines = chapter("\n".join(["", *chapter(page, f"## {room}")]), title)
        assert not [line for line in lines for state in table.unmade if line.split(" | ")[1:2] == [state]]
        for (before, after), who in table.made.items():
            [line] = [line for line in lines if line.startswith(f"| {before} | {after} |")]
            told = [cell.strip() for cell in line.strip("|").split("|")][2:]
            asked = (Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN, Role.SYSTEM)
            assert told == ["yes" if role in who else "–" for role in asked]


@pytest.mark.parametrize("room", rooms.SERVICES)
def test_something_leads_to_every_state_that_is_said_to_be_reached(room: str) -> None:
    """A command asks for it, or code outside the state table names it; else it is `unmade`."""
    named = {value for row in SURFACE if row.message.owner == room for value in asked_for(row)}
    for source in (REPO / room / "src").rglob("*.py"):
        named |= strings(ast.parse(source.read_text()))
    for table in generated.lifecycles(room):
        assert {after for _, after in table.made} - named == set(), table.kind


def asked_for(row: Row) -> set[str]:
    """The choices that a command offers."""
    fields = row.message.model_fields.values() if issubclass(row.message, RequestMessage) else ()
    return {value for field in fields for value in choices(field.annotation)}


def choices(annotation: Any) -> set[str]:
    inner = get_args(annotation)
    return {one for one in inner if isinstance(one, str)}.union(*map(choices, inner))


def strings(tree: ast.AST) -> set[str]:
    """The strings of a module, without those of its state tables."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "Lifecycle":
        return set()
    inner = (strings(node) for node in ast.iter_child_nodes(tree))
    own = {tree.value} if isinstance(tree, ast.Constant) and isinstance(tree.value, str) else set()
    return own.union(*inner)


def test_every_event_is_told_once() -> None:
    lines = generated.events().splitlines()
    assert sorted(line.split("`")[1] for line in lines if line.startswith("- name: ")) == sorted(EVENTS)


def test_an_event_says_what_it_carries_and_who_listens() -> None:
    told = chapter(generated.events(), "### TechnicianAssigned")
    assert "- carries: `ReclamationView`" in told
    assert "  - `technician_id`: id of a person" in told
    assert "  - `slot`: `Slot` (start, end), or nothing" in told
    assert "- timeline: for staff and the client" in told
    [reacting] = [line for line in told if line.startswith("- who reacts: ")]
    assert "interventions `plan_intervention`" in reacting


def test_everybody_who_listens_is_told() -> None:
    page = generated.events()
    for room in rooms.SERVICES:
        service = rooms.load(room).load()
        for event, reactions in service.reactions.items():
            [line] = [x for x in chapter(page, f"### {event.__name__}") if x.startswith("- who reacts: ")]
            assert all(f"{room} `{reaction.name}`" in line for reaction in reactions)
        for events, projection, _ in service.projections:
            for event in events:
                [line] = [
                    x for x in chapter(page, f"### {event.__name__}") if x.startswith("- who keeps it: ")
                ]
                assert f"{room} `{projection.__name__}`" in line


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ("ReclamationCreated", "for staff and the client"),
        ("InvoiceDrafted", "for staff"),
        ("InvoiceChanged", "no line"),
        ("UserRegistered", "no line"),
        ("ReclamationQualified", "for staff; for the client without what is internal"),
        ("InterventionMoved", "for staff; for the client without what is internal, in some cases"),
    ],
)
def test_an_event_says_who_reads_it_in_a_timeline(event: str, line: str) -> None:
    assert f"- timeline: {line}" in chapter(generated.events(), f"### {event}")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int | None, "whole number, or nothing"),
        (PersonId, "id of a person"),
        (PersonId | None, "id of a person, or nothing"),
        (Annotated[UUID, "something"], "id"),
        (list[PersonId], "several: id of a person"),
        (Literal["a", "b", "c"], "`a`, `b` or `c`"),
        (Literal["a"], "`a`"),
        (dict[str, bool], "yes or no for each text"),
        (Slot, "`Slot` (start, end)"),
        (Role, "`anyone`, `client`, `technician`, `manager`, `admin` or `system`"),
    ],
)
def test_types_are_told_in_words(annotation: object, words: str) -> None:
    assert generated.in_words(annotation) == words
