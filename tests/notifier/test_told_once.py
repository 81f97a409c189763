"""A client who refused or withdrew reads that nobody comes in the message about the estimate, and only there."""

import pytest
from given_notifier import SLOT, appointment, booked, planned, visit

from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import AppointmentCancelled
from sav_contracts.notifier import NotificationView


@pytest.mark.parametrize(
    ("reason", "templates"),
    [
        ("estimate_refused", set()),
        ("estimate_withdrawn", set()),
        ("Convenu au téléphone.", {"appointment_cancelled"}),
    ],
)
async def test_the_appointment_of_work_that_nobody_wants_is_not_told_beside_it(
    stage: Stage, reason: str, templates: set[str]
) -> None:
    await stage.hears(planned(SLOT))
    await stage.hears(booked())
    await stage.knows(visit(status="cancelled", version=4, reason=reason))
    off = AppointmentCancelled(state=appointment(status="cancelled", version=2))
    events = (await stage.hears(off)).events
    assert {
        event.state.template for event in events if isinstance(event.state, NotificationView)
    } == templates
