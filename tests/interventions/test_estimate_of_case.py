"""Estimates belong to their case: whoever comes writes the next edition; a refusal stops what was planned for them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from eventually import eventually
from given_billing import SELLER, client, home, line
from given_estimates import (
    ANSWER_GRANT,
    ESTIMATE,
    HOME,
    billed,
    early,
    estimate,
    event_of,
    link,
    refusal,
    write,
    wrong_fields,
)
from given_interventions import COVERED, NOW, UNKNOWN, VISIT, valve
from papers import text_of

from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.interventions.estimate import (
    AcceptEstimate,
    AnswerEstimateByLink,
    EstimateChanged,
    EstimateRefused,
    EstimateSent,
    EstimateSuperseded,
    EstimateWritten,
    RefuseEstimate,
    ValidateEstimate,
)
from sav_contracts.interventions.line import SupplyGiven
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    MoveIntervention,
)
from sav_interventions.estimate_pdf import estimate_pdf
from sav_interventions.lacking import lacking_of_firm
from sav_interventions.model import Intervention

NEXT = UUID(int=210)
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
# As whoever writes it, holding the visit.
NEXT_EDITION = """INSERT INTO estimate SELECT (jsonb_populate_record(before,
    jsonb_build_object('id', gen_random_uuid(), 'edition', 2, 'status', 'draft', 'answer_grant', NULL))).*
FROM estimate AS before"""
validate = ValidateEstimate(estimate_id=ESTIMATE)
refuse = RefuseEstimate(estimate_id=ESTIMATE, reason="trop cher")
again = write.model_copy(update={"intervention_id": NEXT})
OF_NONE: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}


@pytest.fixture
async def known(stage: Stage) -> Stage:
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(id=boiler.article_id))
    return stage


def theirs(status: Any = "planned", **fields: Any) -> Intervention:
    """Sofia's visit of the same case, in place of Karim's."""
    usual = {"id": NEXT, "technician_id": world.sofia.id, "assignment": 2}
    return billed(status, **(usual | fields))


def planned(visit: Intervention) -> InterventionPlanned:
    visit.version, visit.created_at, visit.updated_at = 1, datetime.now(UTC), datetime.now(UTC)
    return InterventionPlanned(state=visit.view())


async def handed_over(stage: Stage) -> list[Any]:
    return (await stage.hears(enveloped(planned(theirs())))).events


# What the law asks of an estimate.


async def test_an_estimate_without_its_place_is_not_sent_until_it_is_written_with_it(known: Stage) -> None:
    await known.given(billed(product_id=None))
    draft = (await known.when(write, by=world.karim)).only(EstimateWritten).state
    assert draft.lacks == ["buyer_address", "place"]
    send = ValidateEstimate(estimate_id=draft.id)
    wrong = await known.when(send, by=world.marie)
    assert refusal(wrong) == (409, "estimate_lacks")
    assert "buyer address, place" in str(wrong.problem)
    at_home = PlaceGiven.model_validate(HOME.model_dump())
    placed = write.model_copy(update={"place": at_home})
    mended = (await known.when(placed, by=world.karim)).only(EstimateChanged).state
    assert (mended.id, mended.lacks) == (draft.id, [])
    assert (mended.buyer.address, mended.supply.postcode) == ("3 rue des Lilas, 69003 Lyon", "69003")
    (await known.when(send, by=world.marie)).only(EstimateSent)


@pytest.mark.parametrize("lack", ["certification", "what_it_heats", "siren"])
async def test_what_only_makes_it_dearer_does_not_keep_it_from_being_sent(known: Stage, lack: Any) -> None:
    await known.given(estimate("draft", lacks=[lack]))
    assert (await known.when(validate, by=world.marie)).only(EstimateSent).state.lacks == []


@pytest.mark.parametrize(
    ("fields", "buyer", "country", "lacks"),
    [
        ({}, "private", "FR", ["seller_email", "mediator"]),
        ({}, "business", "FR", ["seller_email"]),
        ({"email": "sav@example.com", "mediator": "Médiation, example.org"}, "private", "FR", []),
        ({}, "private", "TN", []),
    ],
    ids=["consumer", "business", "said", "elsewhere"],
)
def test_what_the_firm_has_to_say_of_itself(
    fields: dict[str, Any], buyer: Any, country: str, lacks: list[str]
) -> None:
    assert list(lacking_of_firm(SELLER.model_copy(update=fields), buyer, country)) == lacks


@pytest.mark.parametrize("lack", ["buyer_address", "place", "place_abroad", "seller_email", "mediator"])
async def test_what_the_law_asks_for_is_said_before_it_is_sent(known: Stage, lack: Any) -> None:
    await known.given(estimate("draft", lacks=[lack]))
    assert refusal(await known.when(validate, by=world.marie)) == (409, "estimate_lacks")


def test_the_paper_names_the_mediator_the_insurer_and_how_to_write_to_the_firm() -> None:
    said = {
        "email": "sav@example.com",
        "mediator": "Médiation Conso",
        "insurance": "Assur SA, France entière",
    }
    made = estimate(seller=SELLER.model_copy(update=said), version=1)
    made.created_at = made.updated_at = NOW
    text = " ".join(text_of(estimate_pdf(made.view(), "fr")).split())
    assert [words for words in said.values() if words not in text] == []


async def test_what_a_diagnosis_finds_is_estimated_as_a_repair(known: Stage) -> None:
    await known.given(billed(purpose="diagnostic"))
    assert (await known.when(write, by=world.karim)).only(EstimateWritten).state.supply.works == "repair"


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        ({"purpose": "install", "product_id": None}, {}),
        ({"purpose": "repair"}, {"supplies": True}),
        ({"purpose": "repair"}, {"supply": SupplyGiven(works="install")}),
    ],
    ids=["an installation", "a sale with fitting", "said to be one"],
)
async def test_what_is_installed_in_words_only_is_estimated_as_the_dearer_case(
    known: Stage, visit: dict[str, Any], said: dict[str, Any]
) -> None:
    await known.given(billed(place=HOME, **visit))
    fits = [line(None, description="Chaudière gaz")]
    asked = write.model_copy(update={"lines": fits, "certified": True} | said)
    draft = (await known.when(asked, by=world.karim)).only(EstimateWritten).state
    assert "what_it_heats" in draft.lacks
    assert [one.rate for one in draft.vat] == [20]


# The case, whoever comes.


@pytest.mark.parametrize("status", ["draft", "sent", "accepted", "refused"])
async def test_an_estimate_goes_to_whoever_comes_now(known: Stage, status: Any) -> None:
    await known.given(billed("cancelled"), theirs(), estimate(status))
    [changed] = await handed_over(known)
    assert changed.type_name() == EstimateChanged.type_name()
    assert (changed.state.id, changed.state.technician_id) == (ESTIMATE, world.sofia.id)
    assert await handed_over(known) == []


async def test_one_for_no_reclamation_goes_with_the_visit_too(known: Stage) -> None:
    named = OF_NONE | {"reference": "INT-2026-000007"}
    await known.given(
        billed("cancelled", **named), theirs(**named), estimate(visit_reference="INT-2026-000007", **OF_NONE)
    )
    told = (await known.hears(enveloped(planned(theirs(**named))))).only(EstimateChanged)
    assert told.state.technician_id == world.sofia.id


async def test_late_news_of_a_visit_that_is_over_moves_nothing(known: Stage) -> None:
    await known.given(theirs("cancelled"), estimate())
    assert await handed_over(known) == []


async def test_what_was_accepted_and_done_stays_with_who_did_it(known: Stage) -> None:
    done = billed("completed", done_at=datetime.now(UTC) + timedelta(seconds=1))
    await known.given(done, theirs(), estimate("accepted"))
    assert await handed_over(known) == []


async def test_whoever_comes_now_writes_the_next_edition_which_takes_the_place_of_the_one_sent(
    known: Stage,
) -> None:
    await known.given(billed("cancelled"), theirs(), estimate())
    written = (await known.when(again, by=world.sofia)).only(EstimateWritten).state
    assert (written.edition, written.reference) == (2, "DEV-2026-000001")
    assert (written.intervention_id, written.technician_id) == (NEXT, world.sofia.id)
    sent = await known.when(ValidateEstimate(estimate_id=written.id), by=world.marie)
    assert event_of(sent, EstimateSuperseded).state.id == ESTIMATE


async def test_they_rewrite_the_draft_of_whoever_came_before(known: Stage) -> None:
    await known.given(billed("cancelled"), theirs(), estimate("draft"))
    written = (await known.when(again, by=world.sofia)).only(EstimateChanged).state
    assert (written.id, written.edition) == (ESTIMATE, 1)
    assert (written.intervention_id, written.technician_id) == (NEXT, world.sofia.id)


async def test_what_was_accepted_stays_the_agreement_until_another_edition_is(known: Stage) -> None:
    await known.given(billed("cancelled"), theirs("on_site"), early())
    written = (await known.when(again, by=world.sofia)).only(EstimateWritten).state
    sent = await known.when(ValidateEstimate(estimate_id=written.id), by=world.marie)
    assert not any(isinstance(event, EstimateSuperseded) for event in sent.events)
    start = MoveIntervention(intervention_id=NEXT, to="in_progress")
    (await known.when(start, by=world.sofia)).only(InterventionStarted)
    accepted = await known.when(AcceptEstimate(estimate_id=written.id), by=world.lea)
    assert event_of(accepted, EstimateSuperseded).state.id == ESTIMATE


async def test_after_what_was_agreed_is_done_another_job_has_an_estimate_of_its_own(known: Stage) -> None:
    done = billed("completed", done_at=datetime.now(UTC) + timedelta(seconds=1))
    await known.given(done, theirs(), estimate("accepted", reference="DEV-2025-000009"))
    written = (await known.when(again, by=world.sofia)).only(EstimateWritten).state
    assert written.edition == 1
    assert written.reference != "DEV-2025-000009"
    await known.when(ValidateEstimate(estimate_id=written.id), by=world.marie)
    accepted = await known.when(AcceptEstimate(estimate_id=written.id), by=world.lea)
    assert not any(isinstance(event, EstimateSuperseded) for event in accepted.events)


# On site without an agreement.


def ends(cause: Any, by_id: UUID = VISIT) -> MoveIntervention:
    return MoveIntervention(intervention_id=by_id, to="incomplete", cause=cause)


@pytest.mark.parametrize("who", [world.karim, world.marie], ids=["technician", "manager"])
async def test_a_visit_without_an_agreement_ends_and_another_one_waits_for_it(known: Stage, who: Any) -> None:
    await known.given(billed(), estimate())
    ended, following = (await known.when(ends("approval"), by=who)).events
    assert isinstance(ended, InterventionMoved)
    assert isinstance(following, InterventionPlanned)
    assert (ended.before, ended.after, ended.state.cause) == ("on_site", "incomplete", "approval")
    assert ended.state.done_at
    assert (following.state.follows_id, following.state.slot) == (VISIT, None)


async def test_after_a_refused_estimate_nobody_comes_again(known: Stage) -> None:
    await known.given(billed(), estimate("refused"))
    ended = (await known.when(ends("estimate_refused"), by=world.karim)).only(InterventionMoved)
    assert ended.state.status == "incomplete"


@pytest.mark.parametrize("cause", ["parts", "access", "other"])
async def test_before_its_work_began_a_visit_is_incomplete_for_want_of_an_agreement_or_a_danger_only(
    known: Stage, cause: Any
) -> None:
    await known.given(billed())
    outcome = await known.when(ends(cause), by=world.karim)
    assert wrong_fields(outcome) == ["cause"]
    assert outcome.problem
    assert "for “approval” (approval), “estimate refused” (estimate_refused)" in outcome.problem.detail


# A refusal.


@pytest.mark.parametrize(
    ("visit", "cancels"),
    [
        ({"status": "planned"}, True),
        ({"status": "accepted"}, True),
        ({"status": "en_route"}, True),
        ({"status": "on_site"}, False),
        ({"status": "in_progress"}, False),
        ({"status": "completed"}, False),
        ({"status": "planned", "warranty": COVERED}, False),
        ({"status": "planned", "warranty": UNKNOWN}, False),
        ({"status": "planned", "purpose": "diagnostic"}, False),
    ],
    ids=str,
)
async def test_a_refusal_cancels_the_visits_that_waited_for_the_answer(
    known: Stage, visit: dict[str, Any], cancels: bool
) -> None:
    await known.given(billed(**visit), estimate())
    told = (await known.when(refuse, by=world.lea)).only(EstimateRefused)
    assert told.cancels is cancels
    moved = (await known.hears(enveloped(told))).events
    ends = [(one.after, one.reason) for one in moved if isinstance(one, InterventionMoved)]
    assert len(ends) == len(moved)
    assert ends == ([("cancelled", "estimate_refused")] if cancels else [])


@pytest.mark.parametrize("other", ["draft", "accepted"])
async def test_where_another_edition_waits_or_holds_the_visit_stays(known: Stage, other: Any) -> None:
    await known.given(billed("planned"))
    await known.given(estimate(other, id=UUID(int=799), answer_grant=None, withdrawal_grant=None))
    await known.given(estimate(edition=2))
    told = (await known.when(refuse, by=world.lea)).only(EstimateRefused)
    assert told.cancels is False
    assert (await known.hears(enveloped(told))).events == []


async def test_an_edition_that_was_written_meanwhile_keeps_the_visit(known: Stage) -> None:
    await known.given(billed("planned"), estimate())
    told = (await known.when(refuse, by=world.lea)).only(EstimateRefused)
    await known.when(write, by=world.karim)
    assert (await known.hears(enveloped(told))).events == []
    assert await known.parked() == []


async def test_an_edition_that_is_just_being_written_keeps_the_visit_too(known: Stage) -> None:
    await known.given(billed("planned"), estimate())
    told = (await known.when(refuse, by=world.lea)).only(EstimateRefused)
    async with known.database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM intervention FOR UPDATE")
        heard = asyncio.ensure_future(known.hears(enveloped(told)))
        await eventually(lambda: known.database.pool.fetch(WAITING))
        await other.execute(NEXT_EDITION)
    assert (await heard).events == []


async def test_a_refusal_by_the_link_cancels_too(known: Stage) -> None:
    await known.given(billed("planned"), estimate())
    no = AnswerEstimateByLink(token=link(known, "estimate", ANSWER_GRANT), accept=False)
    assert (await known.when(no)).only(EstimateRefused).cancels
