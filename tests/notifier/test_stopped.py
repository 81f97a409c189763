"""Whoever goes to an appliance that was stopped for safety reads so, and what was measured."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import world
from given_notifier import BORN, LATER, SLOT, visit
from kept_mails import mails, plain

from sav_chassis.testing import Stage
from sav_contracts.interventions.visit import InterventionPlanned, InterventionScheduled
from sav_contracts.interventions.work import Work

FIRST, SECOND, BETWEEN = (UUID(int=number) for number in (501, 502, 503))
STOPPED: dict[str, Any] = {"status": "incomplete", "cause": "stopped_for_safety", "done_at": BORN}
OF_NO_UNIT: dict[str, Any] = {"product_id": None}
OF_NO_CASE: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}


def measured(ppm: int | None) -> Work:
    return Work(
        solution="Chaudière arrêtée.",
        labour=[],
        parts=[],
        travel_km=Decimal(0),
        readings={},
        failed_serial=None,
        replacement_serial=None,
        labour_rate=Decimal("58.00"),
        travel_rate=Decimal("0.62"),
        currency="EUR",
        co_ppm=ppm,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"technician_id": world.sofia.id}, {}),  # for the same unit and réclamation
        (OF_NO_UNIT, OF_NO_UNIT),
        (OF_NO_CASE | {"reference": "INT-2026-000001"}, OF_NO_CASE | {"reference": "INT-2026-000002"}),
        (OF_NO_UNIT | OF_NO_CASE, OF_NO_UNIT | {"reclamation_id": None, "follows_id": FIRST}),
    ],
)
async def test_the_next_technician_reads_that_it_was_stopped_and_what_was_measured(
    stage: Stage, mailbox: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    await stage.knows(visit(**({"id": FIRST, "work": measured(62)} | STOPPED | first)))
    await stage.hears(InterventionPlanned(state=visit(**({"id": SECOND} | second))))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    said = plain(mail).replace("\N{NO-BREAK SPACE}", " ")
    assert "Appareil arrêté pour raison de sécurité le" in said
    assert "62 ppm de monoxyde de carbone mesurés" in said


async def test_a_time_is_told_with_it_too(stage: Stage, mailbox: Path) -> None:
    await stage.knows(visit(id=FIRST, work=measured(None), **STOPPED))
    await stage.hears(InterventionPlanned(state=visit(id=SECOND)))
    later = visit(id=SECOND, slot=LATER, version=2)
    await stage.hears(InterventionScheduled(state=later, slot=LATER))
    await stage.runs_effects()
    kept = mails(mailbox)
    assert len(kept) == 2
    for mail in kept:
        assert "Appareil arrêté pour raison de sécurité le" in plain(mail)
        assert "ppm" not in plain(mail)


async def test_what_was_measured_since_ends_it(stage: Stage, mailbox: Path) -> None:
    await stage.knows(
        visit(id=FIRST, work=measured(62), **STOPPED),
        visit(id=BETWEEN, work=measured(3), status="completed", done_at=SLOT.start),
    )
    await stage.hears(InterventionPlanned(state=visit(id=SECOND)))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert "arrêté" not in plain(mail)
