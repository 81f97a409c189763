"""Visits for no réclamation: maintenance and installations."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_by_hand import HOME, PLACE, planned, soon, upkeep, wrong
from given_interventions import PRODUCT, RECLAMATION, cover, product
from given_views import a
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentView
from sav_contracts.catalog.product import ProductVerified
from sav_contracts.catalog.warranty import Cover
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.visit import (
    InterventionPlanned,
    InterventionScheduled,
    MoveIntervention,
    WarrantyDecided,
)


async def test_maintenance_is_for_no_reclamation_and_has_a_reference_of_its_own(at_work: Stage) -> None:
    event = planned(await at_work.when(upkeep(slot=soon()), by=world.marie))
    state = event.state
    assert (state.reclamation_id, state.reclamation_reference) == (None, None)
    assert state.reference
    assert state.reference.startswith("INT-")
    assert (state.called, state.article, state.purpose) == (state.reference, "Chaudière", "maintenance")
    assert state.place
    assert (state.place.address, state.place.postcode) == (PLACE.address, PLACE.postcode)
    assert state.for_client().reference == state.reference
    assert state.timeline_roots() == {state.id}
    other = planned(await at_work.when(upkeep(purpose="install"), by=world.alex)).state
    assert (other.purpose, other.reference != state.reference) == ("install", True)


async def test_a_product_says_what_and_where(at_work: Stage) -> None:
    await at_work.knows(product())
    state = planned(await at_work.when(upkeep(product_id=PRODUCT), by=world.marie)).state
    assert (state.product_id, state.article, state.place) == (PRODUCT, product().article, product().place)
    assert state.timeline_roots() == {state.id, PRODUCT}


async def test_another_clients_product_does_not_exist(at_work: Stage) -> None:
    await at_work.knows(product())
    asked = upkeep(client_id=world.paul.id, product_id=PRODUCT)
    assert wrong(await at_work.when(asked, by=world.marie)) == ["product_id"]


async def test_a_unit_that_was_replaced_gets_no_visits(at_work: Stage) -> None:
    gone = product().model_copy(update={"replaced_by_id": UUID(int=301), "replaced_on": date(2026, 1, 5)})
    await at_work.knows(gone)
    assert wrong(await at_work.when(upkeep(product_id=PRODUCT), by=world.marie)) == ["product_id"]


async def test_the_only_address_of_a_client_is_the_place(at_work: Stage) -> None:
    nowhere = upkeep(place=None)
    assert wrong(await at_work.when(nowhere, by=world.marie)) == ["place"]
    await at_work.knows(a(ClientView, world.lea.id, version=2, addresses=(HOME,)))
    state = planned(await at_work.when(nowhere, by=world.marie)).state
    assert state.place
    assert state.place.address == HOME.address


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"client_id": world.lea.id}, "visit_for_whom"),
        ({"purpose": "maintenance"}, "visit_for_whom"),
        ({"client_id": world.lea.id, "purpose": "repair", "article": "x"}, "fault_not_reported"),
        ({"client_id": world.lea.id, "purpose": "diagnostic", "article": "x"}, "fault_not_reported"),
        ({"client_id": world.lea.id, "purpose": "install"}, "about_what"),
        (
            {"client_id": world.lea.id, "purpose": "install", "article": "x", "product_id": PRODUCT},
            "about_what",
        ),
        (
            {"client_id": world.lea.id, "purpose": "install", "place": PLACE, "product_id": PRODUCT},
            "place_of_product",
        ),
        ({"reclamation_id": RECLAMATION, "client_id": world.lea.id}, "reclamation_says"),
        ({"reclamation_id": RECLAMATION, "article": "x"}, "reclamation_says"),
    ],
)
def test_a_visit_says_for_whom_and_about_what(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CreateIntervention(**fields)
    [error] = refused.value.errors()
    assert error["type"] == code


def contract(start: date, end: date, labour: int = 100) -> Cover:
    return Cover(kind="contract", start=start, end=end, parts=0, labour=labour, travel=100, reason="contrat")


TODAY = date.today()
A_YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("covers", "accepted", "decision", "why"),
    [
        ([], True, "not_covered", "no_fault"),
        ([], False, "not_covered", "no_fault"),
        ([cover(TODAY - A_YEAR, TODAY + A_YEAR)], True, "not_covered", "no_fault"),
        ([contract(TODAY - A_YEAR, TODAY + A_YEAR)], False, "partly", "cover_applies"),
        ([contract(TODAY - A_YEAR, TODAY - timedelta(days=2))], True, "not_covered", "no_fault"),
    ],
    ids=["no cover", "no proof", "a guarantee", "a contract", "a contract that ended"],
)
async def test_guarantees_pay_for_faults_and_contracts_for_maintenance(
    at_work: Stage, covers: list[Cover], accepted: bool, decision: str, why: str
) -> None:
    await at_work.knows(product(*covers, accepted=accepted))
    outcome = await at_work.when(upkeep(product_id=PRODUCT), by=world.marie)
    warranty = planned(outcome).state.warranty
    assert warranty
    assert (warranty.decision, warranty.why) == (decision, why)


async def test_a_contract_that_comes_later_pays_too(at_work: Stage) -> None:
    await at_work.knows(product())
    first = planned(await at_work.when(upkeep(product_id=PRODUCT), by=world.marie)).state
    signed = product(contract(TODAY - A_YEAR, TODAY + A_YEAR), version=2)
    await at_work.knows(signed)
    decided = (await at_work.hears(ProductVerified(state=signed, accepted=True))).only(WarrantyDecided)
    assert (decided.state.id, decided.decision) == (first.id, "partly")


async def test_its_appointment_gives_it_its_time(at_work: Stage) -> None:
    state = planned(await at_work.when(upkeep(), by=world.marie)).state
    slot = soon()
    booked = AppointmentBooked(
        state=a(
            AppointmentView,
            reclamation_id=None,
            reclamation_reference=None,
            intervention_id=state.id,
            start=slot.start,
            end=slot.end,
        )
    )
    told = (await at_work.hears(booked)).only(InterventionScheduled)
    assert told.state.slot == told.slot
    assert (told.slot.start, told.slot.end) == (slot.start, slot.end)


async def test_its_follow_up_keeps_what_it_is_called(at_work: Stage) -> None:
    state = planned(await at_work.when(upkeep(), by=world.marie)).state
    for to in ("accepted", "en_route", "on_site"):
        await at_work.when(MoveIntervention(intervention_id=state.id, to=to), by=world.karim)
    away = MoveIntervention(intervention_id=state.id, to="no_access", reason="personne")
    _, event = (await at_work.when(away, by=world.karim)).events
    assert isinstance(event, InterventionPlanned)
    assert not event.by_hand
    again = event.state
    assert (again.follows_id, again.reference, again.article) == (state.id, state.reference, "Chaudière")
