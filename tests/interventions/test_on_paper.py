"""What clients say on paper, as managers record it: estimates that they signed, and letters by which they withdraw."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import client, home
from given_estimates import ESTIMATE, HOME, billed, estimate, refusal, right, wrong_fields
from given_interventions import valve

from sav_chassis.law.withdrawal import concluded
from sav_chassis.testing import Stage
from sav_contracts.files import StoredFile
from sav_contracts.interventions.estimate import (
    Acceptance,
    EstimateAccepted,
    EstimateWithdrawn,
    RecordSignedEstimate,
    RecordWithdrawal,
)

PAPER = StoredFile(sha256="a" * 64, media_type="application/pdf", size=9, name="signe.pdf")
signed = RecordSignedEstimate(estimate_id=ESTIMATE, paper=PAPER)


@pytest.fixture
async def known(stage: Stage) -> Stage:
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(id=boiler.article_id))
    return stage


def letter(sent_on: date | None = None) -> RecordWithdrawal:
    return RecordWithdrawal(estimate_id=ESTIMATE, declared_on=sent_on)


async def test_a_manager_records_what_was_signed_on_paper(known: Stage) -> None:
    sent = datetime.now(UTC) - timedelta(days=3)
    await known.given(estimate(sent_at=sent))
    day = estimate().day(sent) + timedelta(days=1)
    told = (await known.when(signed.model_copy(update={"signed_on": day}), by=world.marie)).only(
        EstimateAccepted
    )
    state, accepted = told.state, told.state.accepted
    assert accepted
    assert (state.status, accepted.how, estimate().day(accepted.at)) == ("accepted", "paper", day)
    # As after any other acceptance, from the day on which it was signed.
    assert state.withdrawal == concluded(right(), "FR", day, HOME)
    assert state.withdrawal.until
    assert told.grant_id
    # What was signed is its document: nothing is printed in its place.
    assert state.document == PAPER
    assert (await known.runs_effects()).events == []
    assert refusal(await known.when(signed, by=world.marie)) == (409, "illegal_move")


async def test_it_is_signed_between_its_sending_and_today_and_its_last_day(known: Stage) -> None:
    now = datetime.now(UTC)
    today = estimate().day(now)
    await known.given(estimate(sent_at=now - timedelta(days=9), valid_until=today - timedelta(days=2)))
    for days in (1, -10, -20):
        wrong = signed.model_copy(update={"signed_on": today + timedelta(days)})
        assert wrong_fields(await known.when(wrong, by=world.marie)) == ["signed_on"]
    late = signed.model_copy(update={"signed_on": today - timedelta(days=1)})
    assert refusal(await known.when(late, by=world.marie)) == (409, "estimate_over")
    in_time = signed.model_copy(update={"signed_on": today - timedelta(days=2)})
    (await known.when(in_time, by=world.marie)).only(EstimateAccepted)


async def test_only_managers_record_a_paper_and_only_of_what_was_sent(known: Stage) -> None:
    await known.given(estimate("draft"))
    assert refusal(await known.when(signed, by=world.marie)) == (409, "illegal_move")
    for who in (world.lea, world.karim, world.alex):
        assert refusal(await known.when(signed, by=who)) == (403, "not_allowed")


async def test_a_letter_counts_by_the_day_on_which_it_was_sent(stage: Stage) -> None:
    """Signed twenty days ago, and declared on the last day of the right, which is over when the letter is read."""
    signed_at = stage.now() - timedelta(days=25)
    known = concluded(right(), "FR", estimate().day(signed_at), HOME)
    assert known.until
    agreed = estimate("accepted", sent_at=signed_at, withdrawal=known)
    agreed.accepted = Acceptance(at=signed_at, how="paper")
    await stage.given(billed("accepted"), agreed)
    assert refusal(await stage.when(letter(), by=world.marie)) == (409, "no_right_to_withdraw")
    late = letter(known.until + timedelta(days=1))
    assert refusal(await stage.when(late, by=world.marie)) == (409, "no_right_to_withdraw")
    for wrong in (
        estimate().day(stage.now()) + timedelta(days=1),
        estimate().day(signed_at) - timedelta(days=1),
    ):
        assert refusal(await stage.when(letter(wrong), by=world.marie)) == (422, "invalid")
    told = (await stage.when(letter(known.until), by=world.marie)).only(EstimateWithdrawn)
    assert (told.state.status, told.owed, told.cancels) == ("withdrawn", "nothing", True)
    asked = told.state.withdrawal_asked_at
    assert asked
    assert estimate().day(asked) == known.until
    # What was paid is given back from when we know of it.
    assert told.pay_back_by == told.at.astimezone(ZoneInfo("Europe/Paris")).date() + timedelta(14)
    assert refusal(await stage.when(letter(), by=world.marie)) == (409, "illegal_move")


async def test_only_managers_record_a_letter(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    for who in (world.lea, world.karim, world.alex):
        assert refusal(await stage.when(letter(), by=who)) == (403, "not_allowed")
