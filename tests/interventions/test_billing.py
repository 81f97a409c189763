"""Which visits make an invoice, and what of it a warranty pays."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import world
from given_billing import INVOICE, THE_DAY, client, closed, home, invoice, told_closed, told_decided
from given_interventions import COVERED, PRODUCT, RECLAMATION, UNKNOWN, VISIT, report, valve, visit, work

from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceStatus,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import LineGiven
from sav_contracts.interventions.report import ValidateReport
from sav_contracts.interventions.visit import (
    DecideWarranty,
    InterventionClosed,
    InterventionMove,
    InterventionView,
    MoveIntervention,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_interventions.model import Intervention
from sav_interventions.settings import billing

RELEASE = "UPDATE task SET due = now() WHERE use = 'parked'"
COUNT = "SELECT count(*) FROM invoice"


def decide(parts: int, labour: int, travel: int) -> DecideWarranty:
    return DecideWarranty(
        intervention_id=VISIT, parts=parts, labour=labour, travel=travel, reason="geste commercial"
    )


async def released(stage: Stage) -> list[Event]:
    """What comes of the parked events, tried again."""
    before = await stage._position()
    await stage.database.pool.execute(RELEASE)
    await stage.reactor.release_due()
    assert await stage.parked() == []
    return await stage._since(before)


async def heard(stage: Stage, visit: Intervention) -> InvoiceView:
    """The draft that the closing of a visit makes."""
    return (await stage.hears(told_closed(visit))).only(InvoiceDrafted).state


async def given_closed(stage: Stage, *, older: bool = False, **fields: Any) -> Intervention:
    visit = closed(**fields)
    await stage.knows(client(), home(older), valve())
    await stage.given(visit)
    return closed(**fields)


async def drafted_for_a_firm(stage: Stage) -> InvoiceView:
    """The draft of a closed visit, which needs no estimate (a private client would)."""
    draft = await heard(stage, await given_closed(stage))
    await stage.when(ChangeInvoice(invoice_id=draft.id, buyer_siren="732829320"), by=world.marie)
    return draft


async def outcome_of(stage: Stage, event: InterventionClosed | WarrantyDecided) -> str | None:
    envelope = enveloped(event)
    assert (await stage.hears(envelope)).events == []
    return await stage.outcome_of(envelope, "closed_visit" if isinstance(event, InterventionClosed) else "")


async def test_a_closed_visit_outside_warranty_makes_a_draft(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage, older=True))
    assert (draft.status, draft.number, draft.hash, draft.issued_on) == ("draft", None, None, None)
    assert (draft.client_id, draft.intervention_id, draft.reclamation_id) == (
        world.lea.id,
        VISIT,
        RECLAMATION,
    )
    assert draft.reclamation_reference == "REC-2026-000100"
    assert (draft.net, draft.tax, draft.total) == (Decimal("189.15"), Decimal("37.83"), Decimal("226.98"))
    assert (draft.paid, draft.balance) == (Decimal(0), Decimal("226.98"))
    assert [(total.vat_class, total.rate) for total in draft.vat] == [("standard", Decimal(20))]
    assert draft.lacks == ["certification", "no_agreement"]
    assert (draft.buyer.name, draft.buyer.address) == ("Léa Martin", "1 rue de l'Exemple, 75001 Paris")
    assert draft.seller == billing().seller
    assert draft.for_client() is None


async def test_what_is_in_a_newer_dwelling_is_taxed_in_full(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    assert [(total.vat_class, total.vat) for total in draft.vat] == [("standard", Decimal("37.83"))]


async def test_it_is_supplied_on_the_day_when_the_work_ended_where_the_seller_is(stage: Stage) -> None:
    # Half past ten in the evening, UTC: half past eleven in Paris, on the same day; and a week before its report.
    assert (await heard(stage, await given_closed(stage))).supplied_on == THE_DAY
    await stage.clear()
    late = closed().done_at
    assert late
    visit = await given_closed(stage, done_at=late.replace(hour=23, minute=30))
    assert (await heard(stage, visit)).supplied_on == date(2026, 3, 4)


@pytest.mark.parametrize("to", ["completed", "incomplete", "paused"])
async def test_a_visit_says_when_its_work_ended(stage: Stage, to: InterventionMove) -> None:
    await stage.given(visit("in_progress", work=work()))
    before = stage.now()
    move = MoveIntervention(intervention_id=VISIT, to=to, cause="parts")
    moved = (await stage.when(move, by=world.karim)).events[0].state
    assert isinstance(moved, InterventionView)
    assert moved.closed_at is None
    if to == "paused":
        assert moved.done_at is None
    else:
        assert moved.done_at
        assert before <= moved.done_at <= stage.now()


async def test_an_older_visit_that_does_not_say_when_it_ended_counts_from_its_closing(stage: Stage) -> None:
    assert (await heard(stage, await given_closed(stage, done_at=None))).supplied_on == date(2026, 3, 10)


async def test_what_a_warranty_pays_in_part_is_billed_for_the_rest(stage: Stage) -> None:
    warranty = Warranty.of_shares(100, 50, 0, why="cover_applies")
    draft = await heard(stage, await given_closed(stage, warranty=warranty))
    assert [(line.kind, line.covered, line.amount) for line in draft.lines] == [
        ("labour", 50, Decimal("46.50")),
        ("part", 100, Decimal("0.00")),
        ("travel", 0, Decimal("11.25")),
    ]
    assert draft.net == Decimal("57.75")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"warranty": COVERED}, "a warranty pays everything"),
        ({"warranty": UNKNOWN}, "a manager decides first who pays"),
        ({"warranty": None}, "a manager decides first who pays"),
        ({"work": None}, "nothing was done"),
    ],
    ids=["covered", "unknown", "undecided", "no work"],
)
async def test_a_visit_that_is_not_to_be_billed_makes_no_invoice(
    stage: Stage, fields: dict[str, Any], why: str
) -> None:
    visit = await given_closed(stage, **fields)
    assert await outcome_of(stage, told_closed(visit)) == why
    assert await stage.database.pool.fetchval(COUNT) == 0


async def test_a_visit_without_a_product_is_billed_to_a_buyer_whose_address_is_asked_for(
    stage: Stage,
) -> None:
    await stage.knows(client(), valve())
    await stage.given(closed(product_id=None))
    draft = await heard(stage, closed(product_id=None))
    assert (draft.buyer.name, draft.buyer.address) == ("Léa Martin", None)


@pytest.mark.parametrize("older", [False, True])
async def test_a_visit_without_a_product_is_billed_to_where_it_was(stage: Stage, older: bool) -> None:
    home = Place(address="8 quai Perrache", postcode="69002", city="Lyon", dwelling_over_two_years=older)
    await stage.knows(client(), valve())
    await stage.given(closed(product_id=None, place=home))
    draft = await heard(stage, closed(product_id=None))
    assert draft.buyer.address == "8 quai Perrache, 69002 Lyon"
    assert (draft.supply and draft.supply.older_dwelling, draft.vat[0].rate) == (older, Decimal(20))
    certify = ChangeInvoice(invoice_id=draft.id, certified=True)
    certified = (await stage.when(certify, by=world.marie)).only(InvoiceChanged).state
    assert (certified.vat[0].rate, certified.lacks) == (Decimal(10 if older else 20), ["no_agreement"])


async def test_what_waited_for_a_manager_is_billed_when_they_decide(stage: Stage) -> None:
    visit = await given_closed(stage, warranty=UNKNOWN)
    assert await outcome_of(stage, told_closed(visit)) == "a manager decides first who pays"
    decision = (await stage.when(decide(0, 0, 0), by=world.marie)).only(WarrantyDecided)
    drafted = (await stage.hears(decision)).only(InvoiceDrafted)
    assert drafted.state.net == Decimal("189.15")


async def test_what_waited_for_a_manager_is_not_billed_when_a_warranty_pays(stage: Stage) -> None:
    await given_closed(stage, warranty=UNKNOWN)
    decision = (await stage.when(decide(100, 100, 100), by=world.marie)).only(WarrantyDecided)
    assert await outcome_of(stage, decision) == "a warranty pays everything"


async def test_a_decision_before_the_visit_is_closed_bills_nothing(stage: Stage) -> None:
    visit = await given_closed(stage, closed_at=None)
    assert await outcome_of(stage, told_decided(visit)) == "the visit is not closed"


async def test_a_draft_follows_a_later_decision(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    decision, change = (await stage.when(decide(100, 0, 0), by=world.marie)).events
    assert isinstance(decision, WarrantyDecided)
    changed = change.state
    assert isinstance(changed, InvoiceView)
    assert (changed.id, changed.status, changed.net) == (draft.id, "draft", Decimal("104.25"))
    assert await outcome_of(stage, decision) == "drafted already"


@pytest.mark.parametrize("first", ["decided", "issued"])
async def test_an_invoice_has_the_price_of_what_was_decided_at_the_same_moment(
    stage: Stage, first: str
) -> None:
    draft = await drafted_for_a_firm(stage)
    commands: dict[str, Any] = {"decided": decide(100, 0, 0), "issued": IssueInvoice(invoice_id=draft.id)}
    order = sorted(commands, key=lambda name: name != first)
    outcomes = await asyncio.gather(
        *(stage.when(commands[name], by=world.marie, seconds=30) for name in order)
    )
    done = dict(zip(order, outcomes, strict=True))
    refused = done["decided"].problem
    assert done["issued"].reply["status"] == "issued"
    assert done["issued"].reply["net"] == ("189.15" if refused else "104.25")
    assert refused is None or refused.code == "already_invoiced"
    visit = await stage.database.pool.fetchval("SELECT warranty->>'decision' FROM intervention")
    assert visit == ("not_covered" if refused else "partly")


async def test_nobody_issues_a_draft_at_the_price_of_the_decision_before(stage: Stage) -> None:
    draft = await drafted_for_a_firm(stage)
    await stage.when(decide(100, 0, 0), by=world.marie)
    issued = (await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)).only(InvoiceIssued)
    assert issued.state.net == Decimal("104.25"), "whether or not anybody has heard of the decision"


async def test_a_draft_is_discarded_when_a_warranty_pays_everything_after_all(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    _, discarded = (await stage.when(decide(100, 100, 100), by=world.marie)).events
    assert isinstance(discarded, InvoiceDiscarded)
    assert (discarded.state.id, discarded.state.status) == (draft.id, "discarded")
    assert discarded.reason == discarded.state.reason == "Une garantie prend tout en charge."

    again = (await stage.when(decide(0, 0, 0), by=world.marie)).only(WarrantyDecided)
    assert (await stage.hears(again)).only(InvoiceDrafted).state.id != draft.id


async def test_what_a_manager_wrote_into_a_draft_stays_when_the_warranty_is_decided_otherwise(
    stage: Stage,
) -> None:
    draft = await heard(stage, await given_closed(stage))
    flat = LineGiven(
        kind="other",
        description="Forfait convenu",
        quantity=Decimal(1),
        unit="piece",
        unit_price=Decimal(80),
        vat_class="standard",
    )
    (await stage.when(ChangeInvoice(invoice_id=draft.id, lines=[flat]), by=world.marie)).only(InvoiceChanged)
    decision = (await stage.when(decide(100, 0, 0), by=world.marie)).only(WarrantyDecided)
    assert await outcome_of(stage, decision) == "a manager wrote the lines"


@pytest.mark.parametrize("status", ["issued", "partly_paid", "paid"])
async def test_an_issued_invoice_does_not_follow_a_later_decision(
    stage: Stage, status: InvoiceStatus
) -> None:
    await given_closed(stage)
    await stage.given(invoice(status, intervention_id=VISIT))
    refused = await stage.when(decide(100, 100, 100), by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code, refused.events) == (409, "already_invoiced", [])


async def test_a_credited_invoice_makes_room_for_another(stage: Stage) -> None:
    visit = await given_closed(stage)
    await stage.given(invoice("credited", intervention_id=VISIT))
    assert (await heard(stage, visit)).id != INVOICE


async def test_a_closing_that_is_told_again_makes_one_invoice(stage: Stage) -> None:
    visit = await given_closed(stage)
    told = enveloped(told_closed(visit))
    (await stage.hears(told)).only(InvoiceDrafted)
    assert (await stage.hears(told)).events == []
    assert await outcome_of(stage, told_closed(visit)) == "drafted already"
    assert await outcome_of(stage, told_decided(visit)) == "drafted already"
    assert await stage.database.pool.fetchval(COUNT) == 1


@pytest.mark.parametrize("late", ["product", "client"])
async def test_an_invoice_waits_for_what_it_is_made_of(stage: Stage, late: str) -> None:
    await stage.given(closed())
    await stage.knows(client() if late == "product" else home(True))
    told = enveloped(told_closed(closed()))
    assert (await stage.hears(told)).events == []
    [(parked, why)] = await stage.parked()
    assert (parked, str(PRODUCT if late == "product" else world.lea.id) in why) == (told.id, True)

    await stage.knows(home(True) if late == "product" else client(), valve())
    [drafted] = await released(stage)
    assert isinstance(drafted, InvoiceDrafted)
    assert (drafted.state.net, drafted.state.vat[0].vat_class) == (Decimal("189.15"), "standard")


async def test_closing_a_visit_waits_for_nothing_that_billing_needs(stage: Stage) -> None:
    await stage.given(closed(closed_at=None), report("submitted"))
    outcome = await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)
    assert isinstance(outcome.events[-1], InterventionClosed)
    assert (await stage.hears(outcome.events[-1])).events == []
    assert len(await stage.parked()) == 1
