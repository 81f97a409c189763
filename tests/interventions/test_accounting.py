"""What accountants, auditors and the tax administration read: journals that balance, the ledger, the lines of e-reporting."""

import csv
import io
import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, SELLER, THE_DAY, client, invoice, line
from given_interventions import VISIT, visit
from given_payments import pay, refusal

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.client_credit import CreditReceived, RecordOnAccount, RefundCredit, UseCredit
from sav_contracts.interventions.closing import (
    EReporting,
    GetEReporting,
    GetJournals,
    LedgerPage,
    ReadLedger,
)
from sav_contracts.interventions.credit_note import CreditGiven, CreditInvoice
from sav_contracts.interventions.invoice import Buyer, DeductedDeposit
from sav_contracts.interventions.payment import RefundPayment
from sav_interventions import accounting
from sav_interventions.accounting import sales_of
from sav_interventions.journals import FIELDS
from sav_interventions.model import Invoice

OTHER = UUID(int=701)
Line = dict[str, str]


def time(stage: Stage) -> dict[str, Any]:
    today = stage.now().date()
    return {"from": today - timedelta(days=300), "to": today + timedelta(days=1)}


def deducted(deposit: Invoice) -> DeductedDeposit:
    """A deposit as a final invoice names it."""
    return DeductedDeposit(
        invoice_id=deposit.id,
        number="FAC-2026-000001",
        issued_on=THE_DAY,
        vat=deposit.vat,
        net=deposit.net,
        tax=deposit.tax,
        total=deposit.total,
    )


async def journals(stage: Stage) -> list[Line]:
    reply = (await stage.when(GetJournals.model_validate(time(stage)), by=world.marie)).reply
    assert reply["name"].endswith(f"FEC{time(stage)['to']:%Y%m%d}.txt")
    found = list(csv.DictReader(io.StringIO(reply["text"]), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(found) == reply["lines"]
    assert all(tuple(one) == FIELDS and None not in one.values() for one in found)
    return found


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def balance(lines: list[Line], account: str) -> Decimal:
    of = [one for one in lines if one["CompteNum"].startswith(account)]
    return sum((amount(one["Debit"]) - amount(one["Credit"]) for one in of), Decimal(0))


async def test_every_piece_of_the_journals_balances(stage: Stage) -> None:
    await stage.knows(client(name="Léa\tMartin"))
    await stage.given(
        visit("completed"),
        invoice("issued", line("standard"), line("intermediate"), intervention_id=VISIT),
        invoice("issued", number=2, id=OTHER),
    )
    paid = await stage.when(pay("150.00", "card"), by=world.marie)
    await stage.when(
        RefundPayment(payment_id=UUID(paid.reply["id"]), amount=Decimal("12.34"), reason="un geste"),
        by=world.marie,
    )
    account = RecordOnAccount(client_id=world.lea.id, method="cash", amount=Decimal("60.00"))
    kept = await stage.when(account, by=world.marie)
    credit = UUID(kept.reply["id"])
    used = UseCredit(client_credit_id=credit, invoice_id=OTHER, amount=Decimal("41.00"))
    await stage.when(used, by=world.marie)
    await stage.when(RefundCredit(client_credit_id=credit, reason="trop-perçu"), by=world.marie)
    lines = await journals(stage)
    pieces: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for one in lines:
        pieces[one["JournalCode"], one["EcritureNum"]].append(one)
    assert {code for code, _ in pieces} == {"VE", "EN", "OD"}
    for piece in pieces.values():
        assert sum(amount(one["Debit"]) for one in piece) == sum(amount(one["Credit"]) for one in piece) > 0
    assert balance(lines, "5115") == Decimal("137.66")  # card: 150.00 less 12.34
    assert balance(lines, "53") == Decimal("41.00")  # cash: 60.00 less 19.00
    assert balance(lines, "4191") == 0
    owed = Decimal("195.27") + Decimal("101.88") - Decimal("137.66") - Decimal("41.00")
    assert balance(lines, "411") == owed
    assert {one["CompAuxLib"] for one in lines if one["CompteNum"] == "411000"} == {"Léa Martin"}


async def test_journals_are_what_an_accountant_imports(stage: Stage) -> None:
    """LPF, A47 A-1: dates, amounts, and numbers without a gap in each journal; names are only ever text."""
    name = "=Martin\t\nLéa"
    await stage.knows(client(name=name))
    deposit = invoice(
        "paid", line(unit_price=Decimal("10.00")), deposit=True, paid="12.00", intervention_id=VISIT
    )
    final = invoice(
        "issued",
        line("standard"),
        line("intermediate"),
        number=2,
        id=OTHER,
        intervention_id=VISIT,
        buyer=Buyer(name=name, address="1 rue de l'Exemple, 75001 Paris"),
    )
    final.deposits, final.deducted = [deducted(deposit)], Decimal("12.00")
    await stage.given(visit("completed"), deposit, final)
    account = RecordOnAccount(
        client_id=world.lea.id, method="cheque", amount=Decimal("60.00"), reference="@12"
    )
    credit = UUID((await stage.when(account, by=world.marie)).reply["id"])
    for _ in range(2):
        used = UseCredit(client_credit_id=credit, invoice_id=OTHER, amount=Decimal("20.00"))
        await stage.when(used, by=world.marie)
    credited = [CreditGiven(line=1, amount=Decimal("10.00"))]
    for _ in range(2):
        message = CreditInvoice(invoice_id=OTHER, lines=credited, reason="un geste")
        assert (await stage.when(message, by=world.marie)).problem is None
    lines = await journals(stage)

    numbers: dict[str, list[str]] = defaultdict(list)
    for one in lines:
        if one["EcritureNum"] not in numbers[one["JournalCode"]]:
            numbers[one["JournalCode"]].append(one["EcritureNum"])
    assert {code: [int(text[-6:]) for text in found] for code, found in numbers.items()} == {
        "VE": [1, 2],
        "AV": [1, 2],
        "EN": [1],
        "OD": [1, 2],
    }
    for one in lines:
        for day in ("EcritureDate", "PieceDate", "ValidDate"):
            assert re.fullmatch(r"20\d{6}", one[day]), one
        for money in ("Debit", "Credit"):
            assert re.fullmatch(r"\d+,\d\d", one[money]), one
        assert (one["Debit"] == "0,00") != (one["Credit"] == "0,00"), one
        assert bool(one["CompAuxNum"]) == bool(one["CompAuxLib"]) == one["CompteNum"].startswith("41"), one
        assert (one["Montantdevise"], one["Idevise"]) == ("", "")
        assert not any(text.startswith(("=", "@", "+", "-")) for text in one.values()), one
    assert {one["CompAuxLib"] for one in lines if one["JournalCode"] == "EN" and one["CompAuxLib"]} == {
        "'=Martin Léa"
    }
    assert {one["PieceRef"] for one in lines if one["JournalCode"] == "EN"} == {"'@12"}
    of_final = [one for one in lines if one["EcritureNum"] == "FAC-2026-000002"]
    vat = sorted(
        (one["EcritureLib"][-8:], one["Debit"], one["Credit"])
        for one in of_final
        if one["CompteNum"] == "445710"
    )
    assert vat == [
        ("TVA 10 %", "0,00", "8,49"),
        ("TVA 20 %", "0,00", "16,98"),
        ("TVA 20 %", "2,00", "0,00"),
    ]
    # The deposit was booked as an advance, and taken off again; 20.00 of the money on account are left.
    assert balance(lines, "4191") == Decimal("-20.00")


async def test_an_export_of_a_day_has_the_numbers_of_the_whole(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    account = RecordOnAccount(client_id=world.lea.id, method="cheque", amount=Decimal("60.00"))
    credit = UUID((await stage.when(account, by=world.marie)).reply["id"])
    used = UseCredit(client_credit_id=credit, invoice_id=INVOICE, amount=Decimal("20.00"))
    await stage.when(used, by=world.marie)
    await stage.passes(timedelta(days=2))
    await stage.database.pool.execute("UPDATE payment SET created_at = created_at - interval '2 days'")
    await stage.when(used, by=world.marie)
    today = stage.now().date()
    of_today = GetJournals.model_validate({"from": today, "to": today + timedelta(days=1)})
    text = (await stage.when(of_today, by=world.marie)).reply["text"]
    assert "OD-000002" in text
    assert "OD-000001" not in text


async def test_the_ledger_is_read_page_by_page(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    for _ in range(5):
        await stage.when(pay("1.00"), by=world.marie)
    first = LedgerPage.model_validate((await stage.when(ReadLedger(limit=3), by=world.alex)).reply)
    rest = LedgerPage.model_validate((await stage.when(ReadLedger(after=3), by=world.alex)).reply)
    entries = [*first.items, *rest.items]
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


async def test_e_reporting_tells_sales_and_payments_by_day_and_rate(stage: Stage) -> None:
    await stage.given(
        visit("completed"),
        invoice("issued", line("standard"), line("intermediate"), intervention_id=VISIT),
        invoice("issued", number=2, id=OTHER),
    )
    await stage.when(pay("100.00"), by=world.marie)
    await stage.when(pay("50.00", invoice_id=OTHER), by=world.marie)
    asked = GetEReporting.model_validate(time(stage))
    told = EReporting.model_validate((await stage.when(asked, by=world.marie)).reply)
    assert [(one.category, one.rate, one.base, one.vat, one.documents) for one in told.sales] == [
        ("TLB1", "20", Decimal("84.90"), Decimal("16.98"), 1),
        ("TPS1", "10", Decimal("84.90"), Decimal("8.49"), 1),
        ("TPS1", "20", Decimal("84.90"), Decimal("16.98"), 1),
    ]
    # Of 195.27 with VAT, 101.88 at 20 % and 93.39 at 10 %; goods are not told as payments.
    assert [(one.rate, one.amount) for one in told.payments] == [
        ("10", Decimal("47.83")),
        ("20", Decimal("52.17")),
    ]


async def payments_of_services(stage: Stage) -> list[tuple[str, Decimal]]:
    asked = GetEReporting.model_validate(time(stage))
    told = EReporting.model_validate((await stage.when(asked, by=world.marie)).reply)
    return [(one.rate, one.amount) for one in told.payments]


async def test_what_credit_pays_of_services_is_told_and_what_stays_credit_is_not(stage: Stage) -> None:
    """Money on account tells nothing before an invoice uses it, nor does what is more than the balance."""
    await stage.knows(client())
    await stage.given(visit("completed"), invoice("issued", line(), intervention_id=VISIT))
    await stage.given(
        visit("completed", id=OTHER), invoice("issued", line(), number=2, id=OTHER, intervention_id=OTHER)
    )
    too_much = await stage.when(pay("150.00"), by=world.marie)
    assert await payments_of_services(stage) == [("20", Decimal("101.88"))]
    beyond = next(one.state.id for one in too_much.events if isinstance(one, CreditReceived))
    await stage.when(RefundCredit(client_credit_id=beyond, reason="trop-perçu"), by=world.marie)
    account = RecordOnAccount(client_id=world.lea.id, method="cash", amount=Decimal("60.00"))
    kept = UUID((await stage.when(account, by=world.marie)).reply["id"])
    assert await payments_of_services(stage) == [("20", Decimal("101.88"))]
    used = await stage.when(UseCredit(client_credit_id=kept, invoice_id=OTHER), by=world.marie)
    assert await payments_of_services(stage) == [("20", Decimal("161.88"))]
    back = RefundPayment(payment_id=UUID(used.reply["id"]), amount=Decimal("10.00"), reason="un geste")
    await stage.when(back, by=world.marie)
    assert await payments_of_services(stage) == [("20", Decimal("151.88"))]


async def test_a_deposit_is_taken_off_at_its_own_rate(stage: Stage) -> None:
    """Also where the final invoice has no such rate: the certification came after the deposit."""
    deposit = invoice("paid", line("standard", unit_price=Decimal("10.00")), deposit=True, paid="12.00")
    final = invoice("issued", line("intermediate", unit_price=Decimal("100.00")), number=2, id=OTHER)
    final.deposits = [deducted(deposit)]
    both = [(one.rate, one.base, one.vat, one.documents) for one in sales_of([deposit, final])]
    assert both == [("10", Decimal(100), Decimal(10), 1), ("20", Decimal(0), Decimal(0), 2)]


async def test_no_sale_is_left_out_without_a_word(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.given(invoice("issued"), invoice("issued", number=2, id=OTHER))
    asked = GetEReporting.model_validate(time(stage))
    monkeypatch.setattr(accounting, "MOST_LINES", 2)
    assert (await stage.when(asked, by=world.marie)).problem is None
    monkeypatch.setattr(accounting, "MOST_LINES", 1)
    assert refusal(await stage.when(asked, by=world.marie)) == (422, "invalid")


@pytest.mark.parametrize(
    ("registration", "siren", "named"),
    [
        ("RCS Lyon 123 456 789", None, "123456789"),
        ("SIRET 732 829 320 00074", None, "732829320"),
        ("RCS Lyon 123 456 789", "732829320", "732829320"),
        ("Matricule", None, "000000000"),
    ],
)
def test_the_journals_are_named_by_the_sellers_siren(
    registration: str, siren: str | None, named: str
) -> None:
    seller = SELLER.model_copy(update={"registration": registration, "siren": siren})
    assert accounting.siren_of(seller) == named


@pytest.mark.parametrize(("start", "end"), [("2026-03-02", "2026-03-01"), ("2025-01-01", "2026-03-01")])
async def test_a_time_that_cannot_be_is_refused(stage: Stage, start: str, end: str) -> None:
    for message in (GetJournals, GetEReporting):
        asked = message.model_validate({"from": start, "to": end})
        assert refusal(await stage.when(asked, by=world.marie)) == (422, "invalid")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_read_them(stage: Stage, who: Actor) -> None:
    for message in (
        ReadLedger(),
        GetJournals.model_validate(time(stage)),
        GetEReporting.model_validate(time(stage)),
    ):
        assert refusal(await stage.when(message, by=who)) == (403, "not_allowed")
