"""Registering products, and proving when they were bought."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, HOME, JOINT, PRODUCT, article, file, overtaken, product

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import RetireArticle
from sav_contracts.catalog.product import (
    ChangeProduct,
    PlaceGiven,
    ProductChanged,
    ProductRegistered,
    ProductVerified,
    ProductView,
    ProofSubmitted,
    RegisterProduct,
    SendProof,
    VerifyProduct,
)
from sav_contracts.messages import RequestMessage
from sav_contracts.times import LAST_DAY

ELSEWHERE = PlaceGiven(address="2 quai Nord", postcode="69001", city="Lyon", access_notes="code 12")


def registering(**fields: object) -> RegisterProduct:
    usual = {
        "article_id": BOILER,
        "serial": "SN 42",
        "place": HOME.model_dump(),
        "purchase_date": "2026-01-10",
    }
    return RegisterProduct.model_validate(usual | fields)


def sending(sha256: str = "b" * 64) -> SendProof:
    return SendProof(product_id=PRODUCT, proof=file(sha256=sha256))


def verifying(accepted: bool = True, /, **fields: object) -> VerifyProduct:
    usual = {"product_id": PRODUCT, "accepted": accepted, "proof": "a" * 64}
    return VerifyProduct.model_validate(usual | fields)


def refused(outcome: Outcome, status: int, code: str) -> list[str]:
    """Which fields the refusal names, if any; nothing has happened."""
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (status, code), outcome.problem
    assert outcome.events == []
    return [error.field for error in outcome.problem.errors or []]


@pytest.mark.parametrize("named", [None, world.lea.id])
async def test_a_client_registers_their_own_product(stage: Stage, named: UUID | None) -> None:
    await stage.given(article())
    outcome = await stage.when(registering(client_id=named), by=world.lea)

    state = outcome.only(ProductRegistered).state
    assert (state.client_id, state.article, state.family) == (world.lea.id, "Chaudière 24", "heating")
    assert (state.place, state.proof, state.proof_state, state.covers) == (HOME, None, "none", [])
    assert state.delivery_date == state.purchase_date == date(2026, 1, 10)
    assert outcome.reply["id"] == str(state.id)


async def test_a_proof_that_comes_along_waits_for_a_manager(stage: Stage) -> None:
    await stage.given(article())
    outcome = await stage.when(registering(proof=file()), by=world.lea)
    registered, submitted = outcome.events
    assert isinstance(registered, ProductRegistered)
    assert isinstance(submitted, ProofSubmitted)
    assert (submitted.state.proof, submitted.state.proof_state) == (file(), "submitted")


async def test_a_client_cannot_register_for_somebody_else(stage: Stage) -> None:
    await stage.given(article())
    somebody = await stage.when(registering(client_id=world.paul.id), by=world.lea)
    nobody = await stage.when(registering(client_id=UUID(int=9)), by=world.lea)
    refused(somebody, 404, "not_found")
    refused(nobody, 404, "not_found")
    assert somebody.problem
    assert somebody.problem.detail == f"There is no client {world.paul.id}"


@pytest.mark.parametrize("who", [world.marie, world.alex], ids=["manager", "admin"])
async def test_a_manager_registers_for_a_client_and_must_say_which(stage: Stage, who: Actor) -> None:
    await stage.given(article())
    outcome = await stage.when(registering(client_id=world.paul.id), by=who)
    assert outcome.only(ProductRegistered).state.client_id == world.paul.id
    assert refused(await stage.when(registering(), by=who), 422, "invalid") == ["client_id"]


async def test_an_unknown_client_is_named_after_a_second(stage: Stage) -> None:
    await stage.given(article())
    outcome = await stage.when(registering(client_id=UUID(int=9)), by=world.marie)
    assert refused(outcome, 422, "invalid") == ["client_id"]


async def test_a_client_whose_profile_is_still_on_its_way_is_asked_to_repeat(stage: Stage) -> None:
    await stage.given(article())
    newcomer = Actor(id=UUID(int=3), role=world.lea.role)
    outcome = await stage.when(registering(), by=newcomer, seconds=0.5)
    refused(outcome, 503, "not_yet_known")


@pytest.mark.parametrize(
    ("command", "who"),
    [
        (registering(client_id=world.lea.id), world.karim),
        (ChangeProduct(product_id=PRODUCT, place=ELSEWHERE), world.karim),
        (sending(), world.karim),
        (verifying(), world.karim),
        (verifying(), world.lea),
        (verifying(), world.alex),
    ],
    ids=lambda value: value.role if isinstance(value, Actor) else type(value).__name__,
)
async def test_what_is_not_for_a_role_is_refused(
    stage: Stage, command: RequestMessage[ProductView], who: Actor
) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    refused(await stage.when(command, by=who), 403, "not_allowed")


@pytest.mark.parametrize(
    "command",
    [ChangeProduct(product_id=PRODUCT, place=ELSEWHERE), sending()],
    ids=lambda command: type(command).__name__,
)
async def test_somebody_elses_product_is_not_found(
    stage: Stage, command: RequestMessage[ProductView]
) -> None:
    await stage.given(article(), product())
    refused(await stage.when(command, by=world.paul), 404, "not_found")


async def test_the_article_must_exist(stage: Stage) -> None:
    assert refused(await stage.when(registering(), by=world.lea), 422, "invalid") == ["article_id"]


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
async def test_no_product_of_a_retired_article_is_registered(stage: Stage, who: Actor) -> None:
    await stage.given(article(status="retired"))
    outcome = await stage.when(registering(client_id=world.lea.id), by=who)
    assert refused(outcome, 422, "invalid") == ["article_id"]
    assert outcome.problem
    assert outcome.problem.detail.startswith("article_id: article CH-24 is out of the catalogue")
    assert outcome.problem.in_french().detail.startswith(
        "article_id\u00a0: l’article CH-24 n’est plus au catalogue\u00a0: il n’est plus possible"
    )


async def test_who_registers_while_the_article_is_retired_is_before_that_or_refused(stage: Stage) -> None:
    await stage.given(article())
    asked = [registering(serial=f"SN {n}") for n in range(8)]
    retire = RetireArticle(article_id=BOILER)
    *outcomes, retired = await asyncio.gather(
        *(stage.when(command, by=world.lea) for command in asked), stage.when(retire, by=world.marie)
    )
    assert retired.problem is None
    late = [outcome.problem for outcome in outcomes if outcome.problem]
    assert all("out of the catalogue" in problem.detail for problem in late)
    told = await stage.database.pool.fetch("SELECT type FROM event_log ORDER BY position")
    names = [row["type"].split(".")[1] for row in told]
    assert names[-1] == "ArticleRetired"
    assert names.count("ProductRegistered") == len(asked) - len(late)
    refused(await stage.when(registering(serial="SN 99"), by=world.lea), 422, "invalid")


async def test_a_product_outlives_the_article_that_is_retired(stage: Stage) -> None:
    await stage.given(article(status="retired"), product(proof_state="submitted", proof=file()))
    moved = await stage.when(ChangeProduct(product_id=PRODUCT, place=ELSEWHERE), by=world.lea)
    moved.only(ProductChanged)
    (await stage.when(verifying(), by=world.marie)).only(ProductVerified)


async def test_a_part_is_no_product(stage: Stage) -> None:
    await stage.given(article(id=JOINT, reference="J-1", family="part"))
    outcome = await stage.when(registering(article_id=JOINT), by=world.lea)
    assert refused(outcome, 422, "invalid") == ["article_id"]


async def test_what_is_sold_no_more_may_still_be_installed(stage: Stage) -> None:
    await stage.given(article(status="end_of_life"))
    (await stage.when(registering(), by=world.lea)).only(ProductRegistered)


@pytest.mark.parametrize(
    "serial", ["SN 42", "sn 42", " SN  42 ", "SN42", "SN\u00a042", "SN\u200b42", "ＳＮ４２"]
)
async def test_a_serial_number_is_registered_once_however_it_is_written(stage: Stage, serial: str) -> None:
    await stage.given(article())
    (await stage.when(registering(), by=world.lea)).only(ProductRegistered)
    for who in (world.lea, world.paul):
        outcome = await stage.when(registering(serial=serial), by=who)
        refused(outcome, 409, "serial_taken")
        assert outcome.problem
        assert str(world.lea.id) not in outcome.problem.model_dump_json()


async def test_another_article_may_have_the_same_serial_number(stage: Stage) -> None:
    await stage.given(article(), article(id=JOINT, reference="CH-28"))
    await stage.when(registering(), by=world.lea)
    (await stage.when(registering(article_id=JOINT), by=world.paul)).only(ProductRegistered)


async def test_of_two_who_register_the_same_serial_number_at_once_one_is_refused(stage: Stage) -> None:
    await stage.given(article())
    outcomes = await asyncio.gather(
        *(stage.when(registering(), by=who) for who in (world.lea, world.paul) * 3)
    )
    codes = [outcome.problem.code if outcome.problem else "registered" for outcome in outcomes]
    assert sorted(codes) == ["registered", *["serial_taken"] * 5]


async def test_who_is_overtaken_with_a_serial_number_is_refused(stage: Stage) -> None:
    await stage.given(article())
    outcome = await overtaken(stage, product(serial="SN42"), registering(), by=world.paul)
    refused(outcome, 409, "serial_taken")


async def test_registering_again_with_the_same_key_registers_once(stage: Stage) -> None:
    await stage.given(article())
    first = await stage.when(registering(proof=file()), by=world.lea, key="k")
    again = await stage.when(registering(proof=file()), by=world.lea, key="k")
    assert again.reply == first.reply
    assert again.events == []


AHEAD = datetime.now(UTC).date() + timedelta(days=2)


@pytest.mark.parametrize(
    ("dates", "wrong"),
    [
        ({"purchase_date": AHEAD}, "purchase_date"),
        ({"delivery_date": AHEAD}, "delivery_date"),
        ({"commissioning_date": AHEAD}, "commissioning_date"),
        ({"delivery_date": "2026-01-09"}, "delivery_date"),
        ({"delivery_date": "2026-02-01", "commissioning_date": "2026-01-31"}, "commissioning_date"),
        ({"commissioning_date": "2026-01-09"}, "commissioning_date"),
        ({"delivery_date": LAST_DAY}, "delivery_date"),
    ],
)
async def test_dates_that_cannot_be_are_refused(stage: Stage, dates: dict[str, object], wrong: str) -> None:
    await stage.given(article())
    assert refused(await stage.when(registering(**dates), by=world.lea), 422, "invalid") == [wrong]


async def test_what_was_bought_today_may_be_installed_today(stage: Stage) -> None:
    await stage.given(article())
    today = datetime.now(UTC).date()
    outcome = await stage.when(registering(purchase_date=today, commissioning_date=today), by=world.lea)
    outcome.only(ProductRegistered)


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=["client", "manager", "admin"])
async def test_its_place_is_replaced_as_a_whole(stage: Stage, who: Actor) -> None:
    await stage.given(article(), product())
    outcome = await stage.when(ChangeProduct(product_id=PRODUCT, place=ELSEWHERE), by=who)
    assert outcome.only(ProductChanged).state.place.model_dump() == ELSEWHERE.model_dump()


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=["client", "manager", "admin"])
@pytest.mark.parametrize("state", ["none", "submitted", "refused"])
async def test_a_proof_is_sent_until_one_is_accepted(stage: Stage, state: str, who: Actor) -> None:
    old = None if state == "none" else file()
    await stage.given(article(), product(proof_state=state, proof=old, proof_reason="illisible"))
    after = (await stage.when(sending(), by=who)).only(ProofSubmitted).state
    assert (after.proof, after.proof_state, after.proof_reason) == (
        file(sha256="b" * 64),
        "submitted",
        None,
    )


async def test_an_accepted_proof_is_not_replaced(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="accepted"))
    refused(await stage.when(sending(), by=world.lea), 409, "illegal_move")


async def test_a_refusal_needs_a_reason(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    refusal = await stage.when(verifying(False), by=world.marie)
    assert refused(refusal, 422, "invalid") == ["reason"]


async def test_a_refused_proof_says_why_and_covers_nothing(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    outcome = await stage.when(verifying(False, reason="illisible"), by=world.marie)
    verified = outcome.only(ProductVerified)
    assert (verified.accepted, verified.reason) == (False, "illisible")
    assert (verified.state.proof_state, verified.state.proof_reason) == ("refused", "illisible")
    assert verified.state.covers == []


async def test_dates_do_not_come_with_a_refusal(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    outcome = await stage.when(
        verifying(False, reason="illisible", purchase_date="2025-01-01"), by=world.marie
    )
    assert refused(outcome, 422, "invalid") == ["purchase_date"]


@pytest.mark.parametrize(
    ("state", "accepted"),
    # An accepted one may be corrected.
    [("none", True), ("none", False), ("accepted", False), ("refused", True), ("refused", False)],
)
async def test_only_a_submitted_proof_is_decided(stage: Stage, state: str, accepted: bool) -> None:
    await stage.given(article(), product(proof_state=state))
    refused(await stage.when(verifying(accepted, reason="vu"), by=world.marie), 409, "illegal_move")


async def test_covers_follow_from_an_accepted_proof(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted", delivery_date=date(2025, 2, 3)))
    verified = (await stage.when(verifying(), by=world.marie)).only(ProductVerified)
    assert verified.accepted
    assert verified.state.proof_state == "accepted"
    assert [
        (cover.kind, cover.start, cover.end, cover.parts, cover.labour, cover.travel)
        for cover in verified.state.covers
    ] == [
        ("legal_conformity", date(2025, 2, 3), date(2027, 2, 3), 100, 100, 100),
        ("commercial", date(2025, 1, 31), date(2027, 1, 31), 100, 0, 0),
        ("commercial", date(2025, 1, 31), date(2026, 1, 31), 0, 100, 100),
    ]


async def test_the_dates_on_the_proof_replace_those_that_were_told(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    dates = {"purchase_date": "2024-12-01", "delivery_date": "2024-12-20"}
    state = (await stage.when(verifying(**dates), by=world.marie)).only(ProductVerified).state
    assert (state.purchase_date, state.delivery_date) == (date(2024, 12, 1), date(2024, 12, 20))
    assert [cover.start for cover in state.covers] == [
        date(2024, 12, 20),
        date(2024, 12, 1),
        date(2024, 12, 1),
    ]


@pytest.mark.parametrize("purchase", ["2025-01-01", "2025-02-15"])
async def test_a_delivery_on_the_day_of_purchase_moves_with_it(stage: Stage, purchase: str) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    outcome = await stage.when(verifying(purchase_date=purchase), by=world.marie)
    state = outcome.only(ProductVerified).state
    assert state.purchase_date == state.delivery_date == date.fromisoformat(purchase)


@pytest.mark.parametrize(
    "dates",
    [
        {"delivery_date": "2025-01-30"},
        {"purchase_date": "2025-03-01", "delivery_date": "2025-02-01"},
        {"delivery_date": AHEAD},
    ],
)
async def test_dates_that_cannot_be_are_not_taken_from_a_proof(
    stage: Stage, dates: dict[str, object]
) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    outcome = await stage.when(verifying(**dates), by=world.marie)
    assert refused(outcome, 422, "invalid") == ["delivery_date"]


async def test_of_two_who_decide_at_once_one_decides(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted"))
    outcomes = await asyncio.gather(
        stage.when(verifying(), by=world.marie),
        stage.when(verifying(False, reason="illisible"), by=world.marie),
    )
    codes = [outcome.problem.code if outcome.problem else "decided" for outcome in outcomes]
    assert sorted(codes) == ["decided", "illegal_move"]


async def test_a_proof_that_was_replaced_meanwhile_is_not_decided_unseen(stage: Stage) -> None:
    await stage.given(article(), product(proof_state="submitted", proof=file()))
    await stage.when(sending("b" * 64), by=world.lea)
    outcome = await stage.when(verifying(), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code, outcome.events) == (409, "another_proof", [])
    (await stage.when(verifying(proof="b" * 64), by=world.marie)).only(ProductVerified)
