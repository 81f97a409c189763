"""A draft starts from the accepted estimate; what goes beyond it waits for a manager's reason."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_agreed import (
    ALL,
    DEPOSIT,
    DIAGNOSIS,
    FIXED,
    LABOUR,
    OTHER_ID,
    TRAVEL,
    D,
    agreed,
    closing,
    drafted,
    visited,
)
from given_billing import (
    CERTIFIED,
    FR,
    INVOICE,
    SUPPLY,
    VALVE_LINE,
    closed,
    invoice,
    line,
    told_decided,
)
from given_estimates import ESTIMATE, refusal, wrong_fields
from given_interventions import COVERED, NOW, VALVE, VISIT, work

from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import (
    Agreed,
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceIssued,
    IssueInvoice,
)
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven
from sav_interventions.agreed_price import beyond
from sav_interventions.billing import itemised
from sav_interventions.model import Intervention, Invoice, Payment


async def test_the_draft_has_the_agreed_lines_prices_and_discounts(stage: Stage) -> None:
    off = Discount(label="Remise fidélité", percent=D(5))
    draft = await drafted(stage, agreed(discount=off))
    assert [(one.kind, one.unit_price, one.discount, one.amount) for one in draft.lines] == [
        ("labour", D("50.00"), None, D("75.00")),
        ("part", D("80.00"), D("10.00"), D("72.00")),
        ("travel", D("0.50"), None, D("6.25")),
    ]
    assert (draft.discount, draft.net) == (off, D("145.59"))
    assert draft.lacks == []
    assert draft.agreed
    assert (draft.agreed.estimate_id, draft.agreed.estimate, draft.agreed.net, draft.agreed.beyond) == (
        ESTIMATE,
        "DEV-2026-000001",
        D("145.59"),
        [],
    )


async def test_what_the_vat_depends_on_is_as_the_estimate_says(stage: Stage) -> None:
    draft = await drafted(stage, agreed(supply=CERTIFIED))
    assert draft.supply
    assert (draft.supply.certified, draft.supply.older_dwelling) == (True, True)
    assert draft.supply.on == date(2026, 3, 3)
    assert [one.rate for one in draft.vat] == [D(10)]


@pytest.mark.parametrize(
    ("fields", "of_estimate"),
    [
        ({}, {"at": NOW + timedelta(days=8)}),
        ({"purpose": "diagnostic", "work": work().model_copy(update={"parts": []})}, {}),
    ],
    ids=["accepted after the work", "a diagnosis"],
)
async def test_what_was_not_done_by_the_estimate_is_billed_as_it_was_done(
    stage: Stage, fields: dict[str, Any], of_estimate: dict[str, Any]
) -> None:
    draft = await drafted(stage, agreed(**of_estimate), **fields)
    assert (draft.lines[0].unit_price, draft.agreed) == (D("62.00"), None)


def explain(**said: Any) -> ChangeInvoice:
    usual: dict[str, Any] = {"invoice_id": INVOICE, "above_estimate": "Convenu au téléphone."}
    return ChangeInvoice(**(usual | said))


async def test_what_was_done_beyond_it_waits_for_a_managers_reason(stage: Stage) -> None:
    draft = await drafted(stage, agreed(LABOUR))
    assert draft.net == D("75.00")
    assert draft.lacks == ["above_estimate"]
    assert draft.agreed
    assert [(one.kind, one.quantity, one.unit_price) for one in draft.agreed.beyond] == [
        ("travel", D("12.5"), D("0.90")),
        ("part", D(1), D("84.90")),
    ]
    issue = IssueInvoice(invoice_id=draft.id)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "above_estimate")
    why = explain(invoice_id=draft.id, lines=[LABOUR, line()])
    settled = (await stage.when(why, by=world.marie)).only(InvoiceChanged).state
    assert settled.lacks == []
    assert settled.agreed
    assert settled.agreed.reason == "Convenu au téléphone."
    (await stage.when(issue, by=world.marie)).only(InvoiceIssued)


def kept(net: str = "84.90", **fields: Any) -> dict[str, Any]:
    return {"estimate_id": ESTIMATE, "estimate": "DEV-2026-000001", "net": net} | fields


async def given_draft(stage: Stage, **fields: Any) -> None:
    await stage.given(invoice("draft", agreed=Agreed.model_validate(kept(**fields))))


async def test_more_than_was_agreed_needs_a_reason_too_and_still_more_another_one(stage: Stage) -> None:
    await given_draft(stage)
    dearer = ChangeInvoice(invoice_id=INVOICE, lines=[line(unit_price=D("84.91"))])
    changed = (await stage.when(dearer, by=world.marie)).only(InvoiceChanged).state
    assert changed.lacks == ["above_estimate"]
    assert (await stage.when(explain(), by=world.marie)).only(InvoiceChanged).state.lacks == []
    still = ChangeInvoice(invoice_id=INVOICE, lines=[line(unit_price=D("90.00"))])
    assert (await stage.when(still, by=world.marie)).only(InvoiceChanged).state.lacks == ["above_estimate"]
    assert refusal(await stage.when(IssueInvoice(invoice_id=INVOICE), by=world.marie))[1] == "above_estimate"


async def test_work_without_an_agreement_is_billed_to_a_consumer_only_with_a_reason(stage: Stage) -> None:
    draft = await drafted(stage)
    assert draft.lacks == ["no_agreement"]
    issue = IssueInvoice(invoice_id=draft.id)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "no_agreement")
    why = (await stage.when(explain(invoice_id=draft.id), by=world.marie)).only(InvoiceChanged).state
    assert why.lacks == []
    (await stage.when(issue, by=world.marie)).only(InvoiceIssued)


async def test_what_was_explained_of_other_lines_is_explained_anew(stage: Stage) -> None:
    draft = await drafted(stage)
    await stage.when(explain(invoice_id=draft.id), by=world.marie)
    half = Warranty.of_shares(100, 50, 50, why="decided_by_manager")
    await stage.database.pool.execute("UPDATE intervention SET warranty = $1", half.model_dump_json())
    told = enveloped(told_decided(closed(warranty=half)))
    changed = (await stage.hears(told)).only(InvoiceChanged).state
    assert (changed.net < draft.net, changed.lacks) == (True, ["no_agreement"])


async def test_a_business_needs_no_estimate(stage: Stage) -> None:
    draft = await drafted(stage)
    firm = ChangeInvoice(invoice_id=draft.id, buyer_siren="732829320")
    assert (await stage.when(firm, by=world.marie)).only(InvoiceChanged).state.lacks == []
    (await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)).only(InvoiceIssued)


async def test_parts_that_a_diagnosis_built_in_need_an_agreement_too(stage: Stage) -> None:
    assert (await drafted(stage, purpose="diagnostic")).lacks == ["no_agreement"]


async def test_a_mere_diagnosis_needs_no_estimate(stage: Stage) -> None:
    found_only = work().model_copy(update={"parts": []})
    assert (await drafted(stage, purpose="diagnostic", work=found_only)).lacks == []


async def test_after_a_withdrawal_no_reason_opens_more_than_the_agreed_price(stage: Stage) -> None:
    over = agreed()
    over.status, over.withdrawn_at = "withdrawn", NOW
    said = Agreed.model_validate(kept(gross="101.88", reason="Convenu au téléphone."))
    dear = invoice("draft", line(unit_price=D("84.91")), intervention_id=VISIT, agreed=said)
    await stage.given(visited(), over, dear)
    issue = IssueInvoice(invoice_id=INVOICE)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "above_withdrawn")
    less = ChangeInvoice(invoice_id=INVOICE, lines=[line()])
    assert (await stage.when(less, by=world.marie)).problem is None
    outcome = await stage.when(issue, by=world.marie)
    assert outcome.problem is None, outcome.problem


async def test_a_draft_of_no_estimate_has_nothing_to_explain(stage: Stage) -> None:
    await stage.given(invoice("draft"))
    assert wrong_fields(await stage.when(explain(), by=world.marie)) == ["above_estimate"]


def done(**fields: Any) -> LineGiven:
    return VALVE_LINE.model_copy(update={"article_id": VALVE, "covered": 0} | fields)


def priced(*lines: LineGiven) -> list[InvoiceLine]:
    return itemised(lines, None, SUPPLY, FR).lines


HOUR = LABOUR.model_copy(update={"minutes": 60})
OTHER = {"article_id": UUID(int=401), "description": "Joint (JNT-1)"}


@pytest.mark.parametrize(
    ("were", "was_agreed", "more"),
    [
        ([LABOUR], [HOUR], [("labour", 30)]),
        ([HOUR, HOUR], [LABOUR], [("labour", 30)]),
        ([LABOUR], [HOUR.model_copy(update={"minutes": None, "quantity": D("1.50")})], []),
        ([TRAVEL], [HOUR], [("travel", D("12.5"))]),
        ([LABOUR, TRAVEL], [FIXED], []),
        ([LABOUR, done()], [FIXED], [("part", D(1))]),
        ([done()], [line(description="Vanne gaz neuve VAN-22")], []),
        ([done()], [line(article_id=VALVE, description="Vanne")], []),
        ([done()], [line(article_id=UUID(int=401))], [("part", D(1))]),
        ([done(quantity=D(3))], [line(quantity=D(2))], [("part", D(1))]),
        ([done(), done(**OTHER)], [line()], [("part", D(1))]),
        ([done(covered=100)], [HOUR], []),
        ([done()], [HOUR.model_copy(update={"description": "Pose de VAN-22"})], [("part", D(1))]),
    ],
    ids=[
        *("more labour", "more in two lines", "hours", "travel", "a price for the whole"),
        *("a part beside it", "by reference", "by article", "another article", "more of it"),
        *("another part", "covered", "only its labour was agreed"),
    ],
)
def test_what_goes_beyond_an_estimate(
    were: list[LineGiven], was_agreed: list[LineGiven], more: list[tuple[str, Any]]
) -> None:
    found = beyond(were, priced(*was_agreed))
    assert [(one.kind, one.minutes or one.quantity) for one in found] == more
    assert [one.quantity for one in found if one.minutes] == [D("0.50") for one in found if one.minutes]


@pytest.mark.parametrize(
    ("warranty", "lines", "amounts"),
    [
        (Warranty.of_shares(100, 0, 0, why="decided_by_manager"), ALL, ["75.00", "0.00", "6.25"]),
        (Warranty.of_shares(0, 50, 0, why="decided_by_manager"), ALL, ["37.50", "72.00", "6.25"]),
        (Warranty.of_shares(100, 50, 0, why="decided_by_manager"), [FIXED], ["75.00"]),
    ],
    ids=["parts", "labour", "a price for the whole"],
)
async def test_a_warranty_pays_its_share_of_what_was_agreed(
    stage: Stage, warranty: Warranty, lines: list[LineGiven], amounts: list[str]
) -> None:
    draft = await drafted(stage, agreed(*lines), warranty=warranty)
    assert [one.amount for one in draft.lines] == [D(amount) for amount in amounts]


async def test_a_discount_is_no_more_than_what_a_warranty_leaves(stage: Stage) -> None:
    off = Discount(label="Remise", amount=D("50.00"))
    all_but_travel = Warranty.of_shares(100, 100, 0, why="decided_by_manager")
    outcome = await closing(stage, agreed(discount=off), warranty=all_but_travel)
    assert outcome.events == [], "the discount leaves nothing of the travel"
    assert await stage.parked() == []


async def test_a_draft_by_an_estimate_follows_a_later_decision(stage: Stage) -> None:
    await drafted(stage, agreed())
    await stage.database.pool.execute("UPDATE intervention SET warranty = $1", COVERED.model_dump_json())
    (await stage.hears(enveloped(told_decided(closed(warranty=COVERED))))).only(InvoiceDiscarded)


async def test_what_is_billed_for_an_earlier_visit_is_not_billed_twice_without_a_reason(
    stage: Stage,
) -> None:
    first = visited("incomplete", id=DIAGNOSIS, done_at=NOW)
    billed_before = invoice("draft", line(unit_price=D("100.00")), intervention_id=DIAGNOSIS)
    draft = await drafted(stage, first, agreed(), billed_before)
    assert draft.agreed
    assert (draft.net, draft.agreed.net, draft.lacks) == (D("153.25"), D("53.25"), ["above_estimate"])


async def test_an_incomplete_visit_is_billed_what_it_did(stage: Stage) -> None:
    short = work().model_copy(update={"parts": [], "travel_km": D(0)})
    draft = await drafted(stage, agreed(), status="incomplete", work=short)
    assert [(one.kind, one.amount) for one in draft.lines] == [("labour", D("93.00"))]
    assert draft.agreed
    assert (draft.agreed.net, draft.lacks) == (D("153.25"), [])


# The day on which both had agreed, and a deposit was cashed (CGI, since 1 March 2025).


def deposit(**fields: Any) -> Invoice:
    usual: dict[str, Any] = {"id": DEPOSIT, "number": 5, "deposit": True, "intervention_id": VISIT}
    return invoice("paid", paid="101.88", **(usual | fields))


def paid(on: date, **fields: Any) -> Payment:
    usual: dict[str, Any] = {
        "id": UUID(int=720),
        "invoice_id": DEPOSIT,
        "invoice_number": "FAC-2026-000005",
        "method": "transfer",
        "amount": D("101.88"),
        "currency": "EUR",
        "received_on": on,
        "status": "captured",
        "credited": D("0.00"),
        "refunded": D("0.00"),
        "provider_refunded": D("0.00"),
    }
    return Payment(**(usual | fields))


def another_case() -> Intervention:
    named = {"reclamation_id": None, "reclamation_reference": None, "reference": "INT-2026-000007"}
    return visited("planned", id=OTHER_ID, article="Chaudière", **named)


IN_TIME = date(2025, 2, 25)
BOILER = CERTIFIED.model_copy(update={"works": "install", "fossil_heating": True})


@pytest.mark.parametrize(
    ("money", "agreed_on", "rate"),
    [
        ([deposit(), paid(IN_TIME)], IN_TIME, 10),
        ([deposit(), paid(date(2025, 2, 15))], date(2025, 2, 20), 10),
        ([deposit(), paid(date(2025, 3, 1))], date(2025, 3, 1), 20),
        ([deposit(), paid(IN_TIME, status="refunded", refunded=D("101.88"))], None, 20),
        ([deposit(), paid(IN_TIME, status="failed")], None, 20),
        ([invoice("issued", id=OTHER_ID), deposit(deducted_in=OTHER_ID), paid(IN_TIME)], None, 20),
        ([another_case(), deposit(intervention_id=OTHER_ID), paid(IN_TIME)], None, 20),
        ([], None, 20),
    ],
    ids=[
        *("in time", "before the acceptance", "too late", "paid back", "not paid", "of a job before"),
        *("of another case", "no deposit"),
    ],
)
async def test_a_deposit_that_was_cashed_in_time_keeps_the_earlier_rate(
    stage: Stage, money: list[Any], agreed_on: date | None, rate: int
) -> None:
    accepted = agreed(line(None), at=datetime(2025, 2, 20, 9, tzinfo=UTC), supply=BOILER)
    draft = await drafted(stage, accepted, *money)
    assert draft.supply
    assert draft.supply.agreed_on == agreed_on
    assert [one.rate for one in draft.vat] == [D(rate)]
