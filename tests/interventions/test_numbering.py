"""After a restore the numbers of invoices go on as a person says, and what is missing is a link of their chain."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, invoice
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Stage
from sav_contracts.interventions.invoice import InvoiceIssued, InvoiceView, IssueInvoice
from sav_interventions import numbering
from sav_interventions.model.invoice import GENESIS, Series
from sav_interventions.numbering import Number, NumbersUnclear

NOW = datetime.now(UTC).year
HASH = "f" * 64


def at(year: int, last: int) -> Series:
    return Series(series="FAC", day=date(year, 1, 1), last=last, hash=HASH)


def numbers(*texts: str) -> list[Number]:
    return [Number.read(text) for text in texts]


async def after(stage: Stage, what: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
    async with AsyncSession(stage.database.engine, expire_on_commit=False) as session, session.begin():
        return await what(session, *arguments)


async def goes_on(stage: Stage, *texts: str) -> list[str]:
    """What is recorded as missing where these are the last numbers known outside."""
    return [str(each) for each in await after(stage, numbering.continue_after, numbers(*texts))]


async def issued(stage: Stage, id: UUID = INVOICE) -> InvoiceView:
    await stage.given(invoice(id=id))
    return (await stage.when(IssueInvoice(invoice_id=id), by=world.marie)).only(InvoiceIssued).state


async def test_the_next_invoice_follows_the_last_one_known_outside(stage: Stage) -> None:
    await stage.given(at(NOW, 41))
    assert await goes_on(stage, f"FAC-{NOW}-000044") == [f"FAC-{NOW}-000042 to FAC-{NOW}-000044"]
    [missing] = await after(stage, numbering.missing_numbers)
    assert (missing.previous_hash, missing.hash) == (HASH, missing.digest())
    following = await issued(stage)
    assert (following.number, following.previous_hash) == (f"FAC-{NOW}-000045", missing.hash)
    missing.last = 43
    assert missing.digest() != missing.hash


async def test_nothing_is_missing_where_the_backup_has_the_last_one(stage: Stage) -> None:
    await stage.given(at(NOW, 41))
    assert await goes_on(stage, f"FAC-{NOW}-000041") == []
    following = await issued(stage)
    assert (following.number, following.previous_hash) == (f"FAC-{NOW}-000042", HASH)


async def test_each_year_that_has_begun_since_is_told(stage: Stage) -> None:
    await stage.given(at(NOW - 1, 41))
    with pytest.raises(NumbersUnclear, match=f"the last number of {NOW - 1} is needed too"):
        await goes_on(stage, f"FAC-{NOW}-000002")
    told = await goes_on(stage, f"FAC-{NOW - 1}-000042", f"FAC-{NOW}-000002")
    assert told == [f"FAC-{NOW - 1}-000042", f"FAC-{NOW}-000001 to FAC-{NOW}-000002"]
    assert (await issued(stage)).number == f"FAC-{NOW}-000003"


async def test_invoices_that_the_backup_knows_nothing_of_are_missing_too(stage: Stage) -> None:
    assert await goes_on(stage) == []
    assert await goes_on(stage, f"FAC-{NOW}-000002") == [f"FAC-{NOW}-000001 to FAC-{NOW}-000002"]
    assert (await issued(stage)).number == f"FAC-{NOW}-000003"


async def test_where_nobody_knows_the_last_one_another_series_begins(stage: Stage) -> None:
    # The first one of the series before stands on nothing, and no two invoices stand on the same.
    first = await issued(stage)
    assert (first.number, first.previous_hash) == (f"FAC-{NOW}-000001", GENESIS)
    missing, of_notes = await after(stage, numbering.begin, "FAC2")
    assert str(of_notes) == f"AVO-{NOW}-000001 and what followed, if they were issued"
    assert str(missing) == f"FAC-{NOW}-000002 and what followed, if they were issued"
    assert missing.previous_hash == first.hash
    second = await issued(stage, UUID(int=INVOICE.int + 1))
    assert (second.number, second.previous_hash) == (f"FAC2-{NOW}-000001", missing.hash)
    with pytest.raises(NumbersUnclear, match="there is a series FAC already"):
        await after(stage, numbering.begin, "FAC")
    with pytest.raises(NumbersUnclear, match="of another series than FAC2"):
        await goes_on(stage, f"FAC-{NOW}-000050")


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ([], "is here already"),
        ([f"FAC-{NOW}-000040"], "is here already"),
        ([f"FAC-{NOW - 1}-000099"], "is here already"),
        ([f"AV-{NOW}-000050"], "of another series"),
        ([f"FAC-{NOW + 2}-000001"], "still to come"),
    ],
)
async def test_numbers_that_do_not_go_on_from_what_is_here_are_refused(
    stage: Stage, last: list[str], why: str
) -> None:
    await stage.given(at(NOW, 41))
    with pytest.raises(NumbersUnclear, match=why):
        await goes_on(stage, *last)
    assert (await issued(stage)).number == f"FAC-{NOW}-000042"


@pytest.mark.parametrize("text", ["", "123", "FAC-2026", "fac-2026-000001", "FAC-26-000001", "FAC-2026-1"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(NumbersUnclear, match="is no number of an invoice"):
        Number.read(text)
