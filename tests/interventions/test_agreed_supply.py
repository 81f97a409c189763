"""What the VAT of an accepted estimate depends on is what its deposits and its invoice are taxed by."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import CERTIFIED, client, closed, home, line, told_closed
from given_estimates import ESTIMATE, estimate, right
from given_interventions import VISIT, valve, work

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.deposit import DraftDeposit, DraftEstimateDeposit
from sav_contracts.interventions.estimate import (
    Acceptance,
    AcceptEstimate,
    EstimateWritten,
    ValidateEstimate,
    WriteEstimate,
)
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import SupplyGiven
from sav_interventions.agreed_price import as_agreed
from sav_interventions.model import Estimate, Intervention

D = Decimal
# The boiler case of the law's page, without a word on a line of what it burns.
BOILER = [
    line(None, description="Chaudière", unit_price=D("2000.00")),
    line(None, description="Pose", kind="fixed", unit="flat", unit_price=D("62.00")),
]
SAVING = CERTIFIED.model_copy(update={"works": "install", "energy_saving": True})
FOSSIL = SAVING.model_copy(update={"energy_saving": False, "fossil_heating": True})


def visited(**fields: Any) -> Intervention:
    later = datetime.now(UTC) + timedelta(hours=2)
    bare = work().model_copy(update={"parts": []})
    return closed(**({"work": bare, "done_at": later, "closed_at": later} | fields))


async def begun(stage: Stage, **fields: Any) -> None:
    """A planned visit of a repair, at a unit whose article burns nothing."""
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    planned = visited(**fields)
    planned.status = "planned"
    await stage.given(planned)


async def done(stage: Stage, **fields: Any) -> InvoiceView:
    await stage.database.pool.execute("UPDATE intervention SET status = 'completed'")
    return drafted(await stage.hears(told_closed(visited(**fields))))


async def asked(stage: Stage, command: Any, by: Any = world.marie) -> Outcome:
    outcome = await stage.when(command, by=by)
    assert outcome.problem is None, outcome.problem
    return outcome


def drafted(outcome: Outcome) -> InvoiceView:
    return outcome.only(InvoiceDrafted).state


async def issued(stage: Stage, draft: InvoiceView) -> InvoiceView:
    told = (await asked(stage, IssueInvoice(invoice_id=draft.id))).events
    [state] = [one.state for one in told if isinstance(one, InvoiceIssued)]
    return state


@pytest.mark.parametrize(
    ("supply", "deposit", "rest", "rate"),
    [
        ({"fossil_heating": True}, "742.32", "1732.08", "20"),
        ({"fossil_heating": False, "energy_saving": True}, "652.62", "1522.79", "5.5"),
        ({"fossil_heating": False}, "680.46", "1587.74", "10"),
    ],
    ids=["fossil", "energy work", "neither"],
)
@pytest.mark.parametrize("of", ["estimate", "visit"])
async def test_from_the_estimate_to_the_last_invoice_the_rate_is_the_agreed_one(
    stage: Stage, supply: dict[str, Any], deposit: str, rest: str, rate: str, of: str
) -> None:
    await begun(stage)
    write = WriteEstimate(
        intervention_id=VISIT,
        nature="Chaudière à poser",
        setting="at_distance",
        lines=BOILER,
        certified=True,
        supply=SupplyGiven(works="install", **supply),
    )
    id = (await asked(stage, write)).reply["id"]
    await asked(stage, ValidateEstimate(estimate_id=id))
    accept = AcceptEstimate(estimate_id=id, begins_early=True, acknowledges_loss=True)
    await asked(stage, accept, by=world.lea)
    third: Any = DraftEstimateDeposit(estimate_id=id, percent=30)
    if of == "visit":
        third = DraftDeposit(intervention_id=VISIT, percent=30, lines=BOILER)
    asks = drafted(await asked(stage, third))
    assert (asks.total, asks.lacks) == (D(deposit), [])
    await issued(stage, asks)
    draft = await done(stage)
    assert draft.lacks == []
    assert draft.supply
    assert draft.supply.fossil_heating is supply["fossil_heating"]
    final = await issued(stage, draft)
    assert (final.payable, [one.rate for one in final.vat]) == (D(rest), [D(rate)])


def accepted(**fields: Any) -> Estimate:
    made = estimate("accepted", **({"lines": BOILER, "withdrawal": right(setting="at_distance")} | fields))
    made.accepted = Acceptance(at=datetime.now(UTC), how="site", begins_early=True)
    return made


async def test_it_carries_where_the_estimate_was_accepted_after_the_work(stage: Stage) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=2)
    await begun(stage, done_at=earlier)
    await stage.given(accepted(supply=FOSSIL))
    draft = await done(stage, done_at=earlier)
    assert draft.agreed is None
    assert draft.supply
    assert (draft.supply.fossil_heating, [one.rate for one in draft.vat]) == (True, [D(20)])


@pytest.mark.parametrize("supply", [FOSSIL, SAVING], ids=["fossil", "energy work"])
async def test_a_diagnosis_that_is_billed_alone_stays_one_but_a_deposit_is_of_the_work(
    stage: Stage, supply: Any
) -> None:
    await begun(stage, purpose="diagnostic")
    await stage.given(accepted(supply=supply))
    third = DraftDeposit(intervention_id=VISIT, percent=30, lines=BOILER)
    asks = drafted(await asked(stage, third))
    assert asks.supply
    assert (asks.supply.works, asks.supply.energy_saving) == ("install", supply.energy_saving)
    fee = await done(stage, purpose="diagnostic")
    assert fee.supply
    assert (fee.supply.works, [one.rate for one in fee.vat]) == ("diagnosis", [D(20)])


@pytest.mark.parametrize(
    ("said", "found", "burns"),
    [
        (True, False, True),
        (False, True, True),
        (False, None, False),
        (None, False, False),
        (None, None, None),
    ],
)
def test_what_was_said_in_the_estimate_stands_unless_a_boiler_was_fitted(
    said: bool | None, found: bool | None, burns: bool | None
) -> None:
    made = estimate("accepted", supply=FOSSIL.model_copy(update={"fossil_heating": said}))
    supply = FOSSIL.model_copy(update={"fossil_heating": found})
    assert as_agreed(made, supply, None).fossil_heating is burns


def test_what_only_the_words_of_an_estimate_sell_stays_unknown_at_a_repair() -> None:
    made = estimate("accepted", supply=FOSSIL.model_copy(update={"fossil_heating": None}))
    repair = CERTIFIED.model_copy(update={"works": "repair", "fossil_heating": False})
    assert as_agreed(made, repair, None).fossil_heating is None


async def test_a_higher_vat_than_was_agreed_waits_for_a_reason(stage: Stage) -> None:
    await begun(stage)
    await stage.given(accepted(supply=SAVING))
    deposit = drafted(await asked(stage, DraftEstimateDeposit(estimate_id=ESTIMATE, percent=100)))
    draft = await done(stage)
    assert deposit.lacks == draft.lacks == []
    dearer = await asked(stage, ChangeInvoice(invoice_id=draft.id, certified=False))
    changed = dearer.only(InvoiceChanged).state
    assert (changed.net, "above_estimate" in changed.lacks) == (draft.net, True)
    assert changed.total > draft.total
    refused = (await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)).problem
    assert refused
    assert refused.code == "above_estimate"
    # No reason makes deposits more than what was agreed.
    more = (await stage.when(ChangeInvoice(invoice_id=deposit.id, certified=False), by=world.marie)).problem
    assert more
    assert (more.status, [one.field for one in more.errors or []]) == (422, ["body"])


async def test_a_boiler_that_a_line_names_is_taxed_as_one_whatever_somebody_says(stage: Stage) -> None:
    gas = valve(id=UUID(int=990), family="heating", fuel="gas", heats="space")
    await begun(stage)
    await stage.knows(gas)
    named = [line(None, article_id=gas.id, description="Chaudière", unit_price=D("2000.00"))]
    said: Any = {"certified": True, "supply": SupplyGiven(works="repair", fossil_heating=False)}
    write = WriteEstimate(intervention_id=VISIT, nature="Chaudière à poser", lines=named, **said)
    written = (await asked(stage, write)).only(EstimateWritten).state
    assert [one.rate for one in written.vat] == [D(20)]
    third = DraftDeposit(intervention_id=VISIT, percent=30, lines=named, **said)
    assert [one.rate for one in drafted(await asked(stage, third)).vat] == [D(20)]
    draft = await done(stage)
    changed = await asked(stage, ChangeInvoice(invoice_id=draft.id, lines=named, **said))
    assert [one.rate for one in changed.only(InvoiceChanged).state.vat] == [D(20)]
