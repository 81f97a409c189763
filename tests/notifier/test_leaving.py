"""What managers read about a technician who takes no visits any more, and about the reports that are left."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import world
from given_notifier import BORN, nadia, reclamation, report, visit, yves
from kept_mails import mails, plain
from notifier_cases_states import left

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Event

SOFIA_LEFT = left(world.sofia, "Sofia Martin")


async def marie_reads(stage: Stage, mailbox: Path, event: Event, by: Actor = SYSTEM) -> list[str]:
    await stage.hears(enveloped(event, by))
    await stage.runs_effects()
    return [
        plain(mail).replace("\N{NO-BREAK SPACE}", " ") for mail in mails(mailbox) if "marie@" in mail["To"]
    ]


def named(number: int) -> str:
    return f"REC-2026-{number:06}"


def of(number: int, status: str, **fields: Any) -> InterventionView:
    """Sofia's visit for the réclamation of this number."""
    usual: dict[str, Any] = {
        "id": UUID(int=1000 + number),
        "technician_id": world.sofia.id,
        "reclamation_id": UUID(int=2000 + number),
        "reclamation_reference": named(number),
        "status": status,
    }
    return visit(**(usual | fields))


def report_of(number: int, **fields: Any) -> ReportView:
    return report(id=UUID(int=3000 + number), intervention_id=UUID(int=1000 + number), **fields)


async def test_visits_that_are_over_wait_for_their_report_and_for_no_other_technician(
    stage: Stage, mailbox: Path
) -> None:
    claims = [
        reclamation(
            id=UUID(int=2000 + number),
            reference=named(number),
            technician_id=world.sofia.id,
            status="in_progress",
        )
        for number in range(1, 8)
    ]
    await stage.knows(
        *claims,
        of(1, "planned"),
        of(2, "completed"),
        of(3, "completed"),
        report_of(3, status="draft"),
        of(4, "completed"),
        report_of(4, status="submitted"),
        of(5, "completed", closed_at=BORN),
        report_of(5, status="sent_back", edition=2),
        of(6, "incomplete"),
        of(6, "planned", id=UUID(int=1100)),
        of(7, "on_site"),
    )
    [text] = await marie_reads(stage, mailbox, SOFIA_LEFT)
    waiting, rest = text.split("Les conflits du planning")
    under_way, reports = rest.split("dont le rapport manque")
    assert [named(number) in waiting for number in range(1, 8)] == [True, *[False] * 3, True, True, False]
    assert [named(number) in under_way for number in range(1, 8)] == [*[False] * 6, True]
    assert [named(number) in reports for number in range(1, 8)] == [
        False,
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert "à la place de Sofia Martin" in reports


async def test_reports_alone_are_told_too(stage: Stage, mailbox: Path) -> None:
    await stage.knows(of(2, "completed"))
    [text] = await marie_reads(stage, mailbox, SOFIA_LEFT)
    assert "en attente d’un autre technicien" not in text
    assert named(2) in text


@pytest.mark.parametrize("gone", [True, False])
async def test_the_other_managers_learn_of_a_report_that_nobody_but_they_can_complete(
    stage: Stage, gone: bool
) -> None:
    technician = yves if gone else world.sofia
    told = ReportSentBack(
        state=report(status="sent_back", version=2), technician_id=technician.id, reason="Photo manquante."
    )
    outcome = await stage.hears(enveloped(told, world.marie))
    asked = {event.state.user_id for event in outcome.events if event.state.template == "report_to_finish"}
    assert asked == ({nadia.id} if gone else set())


async def test_an_admin_who_wrote_a_report_learns_that_it_was_sent_back(stage: Stage) -> None:
    written = report(status="sent_back", version=2, written_by_id=world.alex.id)
    told = ReportSentBack(state=written, technician_id=yves.id, reason="Photo manquante.")
    outcome = await stage.hears(enveloped(told, world.marie))
    asked = {event.state.user_id for event in outcome.events if event.state.template == "report_to_finish"}
    assert asked == {nadia.id, world.alex.id}


async def test_a_report_that_a_manager_submits_says_so_and_is_told_to_the_others(
    stage: Stage, mailbox: Path
) -> None:
    outcome = await stage.hears(enveloped(ReportSubmitted(state=report()), nadia))
    assert {event.state.user_id for event in outcome.events} == {world.marie.id}
    await stage.runs_effects()
    [text] = [plain(mail) for mail in mails(mailbox)]
    assert "Nadia" in text
    assert "à la place de Karim Haddad, a transmis le rapport" in text
