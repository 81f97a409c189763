"""Visits to which somebody did not come: the client and the technician are two facts, told of whoever's they are."""

from typing import Any

import pytest
import world
from given_reporting import facts, learns, reclamation, story, told_appointment, told_visit, visit

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentMissedByClient,
    AppointmentMissedByTechnician,
)
from sav_contracts.reporting import GetReclamationsReport

MARCH = GetReclamationsReport.model_validate({"from": "2026-03-01", "to": "2026-03-31"})
SOFIAS: dict[str, Any] = {"technician_id": world.sofia.id, "client_id": world.paul.id}


@pytest.fixture
async def missed(stage: Stage) -> Stage:
    """Léa missed two visits of Karim's, who missed one of hers and came to another; Sofia missed one of Paul's."""
    await learns(
        stage, [*story(reclamation(101, technician_id=world.karim.id)), *story(reclamation(102, **SOFIAS))]
    )
    for number in (201, 202):
        await learns(stage, [told_visit(visit(101, number, status="no_access"))])
    gone: dict[str, Any] = {"status": "no_show", "version": 2}
    await learns(
        stage,
        [
            told_appointment(AppointmentMissedByClient, 101, 301, **gone, missed_by="client"),
            # From before it was said who missed it.
            told_appointment(AppointmentMissedByClient, 101, 302, **gone),
            told_appointment(AppointmentMissedByTechnician, 101, 303, **gone, missed_by="technician"),
            told_appointment(
                AppointmentMissedByTechnician, 102, 304, **gone, **SOFIAS, missed_by="technician"
            ),
            told_appointment(AppointmentBooked, 101, 305),
        ],
    )
    return stage


def of(who: Actor, by_client: int, by_technician: int) -> dict[str, Any]:
    return {"technician_id": str(who.id), "by_client": by_client, "by_technician": by_technician}


KARIMS, HERS = of(world.karim, 2, 1), of(world.sofia, 0, 1)


@pytest.mark.parametrize(
    ("who", "by_client", "by_technician", "each"),
    [
        (world.marie, 2, 2, [KARIMS, HERS]),
        (world.alex, 2, 2, [KARIMS, HERS]),
        (world.karim, 2, 1, [KARIMS]),
        (world.sofia, 0, 1, [HERS]),
        (world.lea, 2, 1, []),
        (world.paul, 0, 1, []),
    ],
)
async def test_who_did_not_come_is_counted_apart(
    missed: Stage, who: Actor, by_client: int, by_technician: int, each: list[Any]
) -> None:
    told = (await missed.when(MARCH, by=who)).reply
    assert (told["missed_by_client"], told["missed_by_technician"]) == (by_client, by_technician)
    assert sorted(told["missed"], key=str) == sorted(each, key=str)


async def test_a_visit_that_is_told_late_or_twice_is_one(stage: Stage) -> None:
    gone: dict[str, Any] = {"status": "no_show", "version": 3, "missed_by": "technician"}
    await learns(stage, [told_appointment(AppointmentMissedByTechnician, 101, 301, **gone)] * 2)
    await learns(stage, [told_appointment(AppointmentBooked, 101, 301, version=2)])
    [row] = await facts(stage, "appointment_fact")
    assert (row["version"], row["missed_by"]) == (3, "technician")
