"""Estimates: written, sent, answered on the site or by a link, expired, printed."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import VALVE_LINE, client, home, line
from given_estimates import (
    ANSWER_GRANT,
    ESTIMATE,
    billed,
    estimate,
    event_of,
    link,
    refusal,
    right,
    write,
    wrong_fields,
)
from given_interventions import NOW, valve
from papers import text_of
from pydantic import SecretStr

from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.actor import Role
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.estimate import (
    AcceptEstimate,
    AnswerEstimateByLink,
    EstimateAccepted,
    EstimateChanged,
    EstimateExpired,
    EstimateRefused,
    EstimateSent,
    EstimateStatus,
    EstimateSuperseded,
    EstimateWritten,
    GetEstimateByLink,
    RefuseEstimate,
    ValidateEstimate,
)
from sav_contracts.interventions.line import Discount, DiscountGiven, SupplyGiven
from sav_interventions.estimate_pdf import estimate_pdf
from sav_interventions.lifecycle import ESTIMATE as TABLE
from sav_interventions.model.estimate import REPEATED_WITHIN

validate = ValidateEstimate(estimate_id=ESTIMATE)
accept = AcceptEstimate(estimate_id=ESTIMATE)
refuse = RefuseEstimate(estimate_id=ESTIMATE, reason="trop cher")
NOT_SENT: list[EstimateStatus] = ["accepted", "refused", "expired", "superseded", "withdrawn"]


@pytest.fixture
async def known(stage: Stage) -> Stage:
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(id=boiler.article_id))
    return stage


async def test_a_technician_writes_an_estimate_of_their_visit_which_the_client_does_not_see_yet(
    known: Stage,
) -> None:
    await known.given(billed())
    written = (await known.when(write, by=world.karim)).only(EstimateWritten).state
    assert (written.status, written.edition, written.total) == ("draft", 1, Decimal("101.88"))
    assert written.reference == f"DEV-{known.now().year}-{int(written.reference[-6:]):06}"
    assert (written.buyer.name, written.client_id) == ("Léa Martin", world.lea.id)
    assert (written.withdrawal.right, written.withdrawal.case) == (True, "at_home")
    assert written.valid_until is None
    assert written.for_client() is None


async def test_it_says_what_a_warranty_pays_of_it(known: Stage) -> None:
    await known.given(billed(warranty=Warranty.of_shares(75, 50, 0, why="decided_by_manager")))
    written = (await known.when(write, by=world.karim)).only(EstimateWritten).state
    assert [(one.covered, one.covered_amount) for one in written.lines] == [(75, Decimal("63.67"))]
    assert written.net == Decimal("21.23")


async def test_writing_again_rewrites_the_draft_and_after_one_that_was_sent_begins_an_edition(
    known: Stage,
) -> None:
    await known.given(billed(), estimate("draft"))
    dearer = write.model_copy(update={"lines": [line(unit_price=Decimal("100.00"))]})
    again = (await known.when(dearer, by=world.karim)).only(EstimateChanged).state
    assert (again.id, again.edition, again.total) == (ESTIMATE, 1, Decimal("120.00"))
    await known.when(validate, by=world.marie)
    second = (await known.when(write, by=world.marie)).only(EstimateWritten).state
    assert (second.edition, second.reference) == (2, again.reference)
    assert second.called == f"{again.reference} v2"


async def test_of_two_who_write_at_once_one_rewrites_what_the_other_wrote(known: Stage) -> None:
    await known.given(billed())
    outcomes = await asyncio.gather(*(known.when(write, by=who) for who in (world.karim, world.marie)))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert {outcome.reply["edition"] for outcome in outcomes} == {1}


@pytest.mark.parametrize(
    ("purpose", "fields", "counts_from"),
    [
        ("repair", {}, "conclusion"),
        ("install", {}, "delivery"),
        ("repair", {"supplies": True}, "delivery"),
        ("repair", {"supply": SupplyGiven(works="install")}, "delivery"),
        ("install", {"supply": SupplyGiven(works="repair")}, "conclusion"),
    ],
)
async def test_an_installation_counts_from_delivery(
    known: Stage, purpose: str, fields: dict[str, Any], counts_from: str
) -> None:
    await known.given(billed(purpose=purpose))
    written = (await known.when(write.model_copy(update=fields), by=world.karim)).only(EstimateWritten).state
    assert written.withdrawal.counts_from == counts_from


async def test_an_urgent_repair_says_why_there_is_no_right(known: Stage) -> None:
    await known.given(billed())
    urgent = write.model_copy(update={"urgent": "fuite d'eau"})
    written = (await known.when(urgent, by=world.karim)).only(EstimateWritten).state.withdrawal
    assert (written.right, written.case, written.urgency) == (False, "urgent_repair", "fuite d'eau")


@pytest.mark.parametrize(
    "fields", [{"supplies": True}, {"supply": SupplyGiven(works="install")}, {"setting": "at_distance"}]
)
async def test_what_is_no_urgent_repair_at_home_is_refused_as_such(
    known: Stage, fields: dict[str, Any]
) -> None:
    await known.given(billed())
    wrong = await known.when(write.model_copy(update={"urgent": "vite"} | fields), by=world.karim)
    assert wrong_fields(wrong) == ["urgent"]


async def test_a_unit_of_a_business_gives_no_right(stage: Stage) -> None:
    await stage.knows(client(), home(older=False).model_copy(update={"consumer": False}))
    await stage.given(billed())
    written = (await stage.when(write, by=world.karim)).only(EstimateWritten).state.withdrawal
    assert (written.right, written.case) == (False, "business_buyer")


# law.md: 10 %: 93.00 + 48.90 + 35.00, 20 %: 129.90.
LINES = [
    line(None, kind="labour", unit="hour", unit_price=Decimal("62.00"), minutes=90),
    line(None, unit_price=Decimal("48.90")),
    line(None, kind="fixed", unit="flat", unit_price=Decimal("35.00")),
    line("standard", unit_price=Decimal("129.90")),
]


@pytest.mark.parametrize(
    ("discount", "bases", "total"),
    [
        ({"percent": "5"}, ["123.40", "168.05"], "332.94"),
        ({"amount": "50.00"}, ["108.73", "148.07"], "293.36"),
    ],
)
async def test_it_amounts_to_what_an_invoice_of_the_same_lines_would(
    stage: Stage, discount: dict[str, str], bases: list[str], total: str
) -> None:
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(id=boiler.article_id))
    await stage.given(billed())
    off = DiscountGiven.model_validate({"label": "Remise"} | discount)
    asked = write.model_copy(update={"lines": LINES, "discount": off, "certified": True})
    written = (await stage.when(asked, by=world.karim)).only(EstimateWritten).state
    assert [one.base for one in written.vat] == [Decimal(base) for base in bases]
    assert (written.total, written.lacks) == (Decimal(total), [])


async def test_without_the_clients_certification_all_is_at_the_normal_rate_and_staff_read_why(
    stage: Stage,
) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(billed())
    asked = write.model_copy(update={"lines": LINES})
    written = (await stage.when(asked, by=world.karim)).only(EstimateWritten).state
    assert [one.rate for one in written.vat] == [Decimal(20)]
    assert written.lacks == ["certification"]


async def test_nobody_estimates_a_visit_that_is_over_or_somebody_elses(known: Stage) -> None:
    await known.given(billed("completed"))
    assert refusal(await known.when(write, by=world.karim)) == (409, "visit_over")
    assert refusal(await known.when(write, by=world.sofia)) == (404, "not_found")
    assert refusal(await known.when(write, by=world.lea)) == (403, "not_allowed")


async def test_a_manager_sends_it_and_the_client_gets_a_link(known: Stage) -> None:
    await known.given(billed(), estimate("draft"))
    sent = (await known.when(validate, by=world.marie)).only(EstimateSent)
    assert sent.state.status == "sent"
    assert sent.state.for_client()
    assert sent.state.valid_until == datetime.now(estimate().zone).date() + timedelta(30)
    # The whole of the last day counts, at the place.
    assert sent.expires_at.astimezone(estimate().zone).date() == sent.state.valid_until + timedelta(1)
    read = await known.when(GetEstimateByLink(token=link(known, "estimate", sent.grant_id)))
    assert (read.reply["reference"], read.reply["total"]) == ("DEV-2026-000001", "101.88")


async def test_only_managers_send_and_only_what_has_a_price_and_a_day(known: Stage) -> None:
    await known.given(estimate("draft"))
    assert refusal(await known.when(validate, by=world.karim)) == (403, "not_allowed")
    today = known.now().date()
    for days in (-2, 400):
        until = ValidateEstimate(estimate_id=ESTIMATE, valid_until=today + timedelta(days))
        assert wrong_fields(await known.when(until, by=world.marie)) == ["valid_until"]
    await known.clear()
    await known.given(estimate("draft", lines=[line(covered=100)]))
    assert refusal(await known.when(validate, by=world.marie)) == (409, "nothing_to_estimate")


async def test_another_edition_takes_the_place_of_one_that_waits_for_an_answer(known: Stage) -> None:
    await known.given(estimate(id=UUID(int=799), edition=1, answer_grant=UUID(int=1)))
    await known.given(estimate("draft", edition=2))
    outcome = await known.when(validate, by=world.marie)
    assert event_of(outcome, EstimateSuperseded).state.id == UUID(int=799)
    old = GetEstimateByLink(token=link(known, "estimate", UUID(int=1)))
    assert (await known.when(old)).reply["status"] == "superseded"


async def test_one_that_was_accepted_holds_until_another_edition_is_accepted(known: Stage) -> None:
    await known.given(estimate("accepted", id=UUID(int=799), answer_grant=UUID(int=1), withdrawal_grant=None))
    await known.given(estimate("draft", edition=2))
    assert not any(
        isinstance(event, EstimateSuperseded) for event in (await known.when(validate, by=world.marie)).events
    )
    outcome = await known.when(accept, by=world.lea)
    assert event_of(outcome, EstimateSuperseded).state.id == UUID(int=799)


async def test_a_client_accepts_their_own(known: Stage) -> None:
    await known.given(estimate())
    told = (await known.when(accept, by=world.lea)).only(EstimateAccepted)
    accepted = told.state.accepted
    assert accepted
    assert (told.state.status, accepted.how, accepted.begins_early) == ("accepted", "site", False)
    assert told.state.withdrawal.until
    assert told.grant_id, "the link to withdraw"


async def test_whoever_wants_the_work_to_begin_early_acknowledges_what_that_means(known: Stage) -> None:
    await known.given(estimate())
    early = AcceptEstimate(estimate_id=ESTIMATE, begins_early=True)
    assert wrong_fields(await known.when(early, by=world.lea)) == ["acknowledges_loss"]
    knowing = early.model_copy(update={"acknowledges_loss": True, "keeps_parts": True})
    said = (await known.when(knowing, by=world.lea)).only(EstimateAccepted).state.accepted
    assert said
    assert (said.begins_early, said.keeps_parts) == (True, True)


async def test_where_there_is_no_right_there_is_nothing_to_acknowledge(known: Stage) -> None:
    await known.given(estimate(withdrawal=right(urgency="fuite")))
    early = AcceptEstimate(estimate_id=ESTIMATE, begins_early=True)
    told = (await known.when(early, by=world.lea)).only(EstimateAccepted)
    assert told.grant_id is None
    assert told.state.withdrawal.until is None


async def test_a_client_refuses_with_a_reason(known: Stage) -> None:
    await known.given(estimate())
    refused = (await known.when(refuse, by=world.lea)).only(EstimateRefused)
    assert (refused.state.status, refused.reason) == ("refused", "trop cher")


async def test_nobody_answers_anothers_estimate_nor_a_draft(known: Stage) -> None:
    await known.given(estimate())
    for who in (world.karim, world.marie, world.alex):
        assert refusal(await known.when(accept, by=who)) == (403, "not_allowed")
    assert refusal(await known.when(accept, by=world.paul)) == (404, "not_found")
    await known.clear()
    await known.given(estimate("draft"))
    for answer in (accept, refuse):
        assert refusal(await known.when(answer, by=world.lea)) == (404, "not_found")


@pytest.mark.parametrize("status", NOT_SENT)
async def test_an_answered_one_is_not_answered_again(known: Stage, status: EstimateStatus) -> None:
    await known.given(estimate(status))
    for answer in (accept, refuse):
        assert refusal(await known.when(answer, by=world.lea)) == (409, "illegal_move")
    by_link = AnswerEstimateByLink(token=link(known, "estimate", ANSWER_GRANT), accept=True)
    assert refusal(await known.when(by_link)) == (410, "link_expired")


async def test_of_two_answers_at_once_one_counts(known: Stage) -> None:
    await known.given(estimate())
    outcomes = await asyncio.gather(known.when(accept, by=world.lea), known.when(refuse, by=world.lea))
    assert sorted(outcome.problem.status if outcome.problem else 200 for outcome in outcomes) == [200, 409]


@pytest.mark.parametrize("yes", [True, False])
async def test_a_link_answers_once_and_repeating_the_same_answer_is_no_error(known: Stage, yes: bool) -> None:
    await known.given(estimate())
    token = link(known, "estimate", ANSWER_GRANT)
    answer = AnswerEstimateByLink(token=token, accept=yes, reason=None if yes else "trop cher")
    first = await known.when(answer)
    assert first.reply["status"] == ("accepted" if yes else "refused")
    assert [type(event) for event in first.events] == [EstimateAccepted if yes else EstimateRefused]
    again = await known.when(answer)
    assert (again.events, again.reply) == ([], first.reply)
    assert refusal(await known.when(answer.model_copy(update={"accept": not yes}))) == (410, "link_expired")
    known.ahead = REPEATED_WITHIN + timedelta(seconds=5)
    assert refusal(await known.when(answer)) == (410, "link_expired")


@pytest.mark.parametrize("wrong", ["nonsense", "é", "A" * 64])
async def test_a_link_that_is_not_ours_opens_nothing(known: Stage, wrong: str) -> None:
    await known.given(estimate())
    forged = [SecretStr(wrong), link(known, "withdraw", ANSWER_GRANT), link(known, "estimate", ESTIMATE)]
    for token in forged:
        assert refusal(await known.when(GetEstimateByLink(token=token))) == (410, "link_expired")
        answer = AnswerEstimateByLink(token=token, accept=True)
        assert refusal(await known.when(answer)) == (410, "link_expired")


async def test_nobody_accepts_after_the_last_day_and_a_timer_says_that_it_is_over(known: Stage) -> None:
    await known.given(estimate("draft"))
    sent = (await known.when(validate, by=world.marie)).only(EstimateSent)
    known.ahead = sent.expires_at - known.now() + timedelta(seconds=1)
    late = await known.when(accept, by=world.lea)
    assert refusal(late) == (409, "estimate_over")
    token = link(known, "estimate", sent.grant_id)
    assert refusal(await known.when(GetEstimateByLink(token=token))) == (410, "link_expired")
    known.ahead = timedelta()
    assert (await known.passes(sent.expires_at)).only(EstimateExpired).state.status == "expired"


async def test_one_that_was_answered_does_not_expire(known: Stage) -> None:
    await known.given(estimate("draft"))
    sent = (await known.when(validate, by=world.marie)).only(EstimateSent)
    await known.when(accept, by=world.lea)
    assert (await known.passes(sent.expires_at + timedelta(1))).events == []


async def test_it_is_printed_when_it_is_sent_and_again_as_it_was_accepted(
    known: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By the printer: nothing is printed in the process of the room.
    monkeypatch.delattr("sav_interventions.estimate_pdf.printed")
    await known.given(estimate("draft"))
    await known.when(validate, by=world.marie)
    first = (await known.runs_effects()).only(EstimateChanged).state.document
    await known.when(accept, by=world.lea)
    second = (await known.runs_effects()).only(EstimateChanged).state.document
    assert first
    assert second
    assert first.sha256 != second.sha256
    files = Files(known.settings.files_url)
    assert "Vos choix à l’acceptation" in text_of(await files.get(first))
    assert "Accepté" in text_of(await files.get(second))


@pytest.mark.parametrize(
    ("known_right", "says"),
    [
        (right(), "14 jours à compter de l’acceptation"),
        (right(supplies=True), "14 jours à compter de la livraison"),
        (right(urgency="fuite d'eau"), "réparation ou entretien urgent"),
        (right(consumer=False), "client professionnel"),
    ],
    ids=["service", "sale", "urgent", "business"],
)
def test_the_paper_says_whether_there_is_a_right_to_withdraw_and_why(known_right: Any, says: str) -> None:
    made = estimate(withdrawal=known_right, version=1)
    made.created_at = made.updated_at = NOW
    text = " ".join(text_of(estimate_pdf(made.view(), "fr")).split())
    assert says in text
    assert ("Modèle de formulaire de rétractation" in text) is known_right.right
    assert {"101,88", "84,90", "DEV-2026-000001"} <= {
        word.strip("€").strip() for word in text.replace("\N{NO-BREAK SPACE}", " ").split(" ")
    }


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("fr", {"1 234,50 €", "12 345,00 €", "-1 234,50 €", "11 110,50 €", "2 222,10 €", "13 332,60 €"}),
        ("en", {"€1,234.50", "€12,345.00", "-€1,234.50", "€11,110.50", "€2,222.10", "€13,332.60"}),
    ],
)
def test_its_amounts_are_written_as_on_invoices(locale: Locale, says: set[str]) -> None:
    line = VALVE_LINE.model_copy(update={"quantity": Decimal(10), "unit_price": Decimal("1234.50")})
    made = estimate(lines=[line], discount=Discount(label="Remise", percent=Decimal(10)), version=1)
    made.created_at = made.updated_at = NOW
    text = " ".join(text_of(estimate_pdf(made.view(), locale)).split())
    assert {amount for amount in says if amount not in text} == set()


def test_the_table_says_who_moves_what() -> None:
    people = {role for roles in TABLE.moves.values() for role in roles}
    assert people == {Role.MANAGER, Role.CLIENT, Role.SYSTEM}
