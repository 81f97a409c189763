"""Messages name what it is about and why: refusals, refunds, withdrawals, credit."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from given_interventions import work
from given_notifier import ISSUED, WITH_BANK, account, client_profile, invoice, payment, refused_acts, visit
from kept_mails import mails, plain
from notifier_cases_dunning import credit_note
from notifier_cases_estimates import estimate, withdrawn
from notifier_cases_orders import order
from notifier_cases_payments import ONLINE, credit
from world import lea

from sav_chassis.testing import Stage
from sav_contracts.claims.order import OrderReturned, OrderWithdrawn
from sav_contracts.interventions.client_credit import CreditReceived, CreditRefunded
from sav_contracts.interventions.estimate import EstimateRefused, EstimateWritten
from sav_contracts.interventions.invoice import InvoiceIssued
from sav_contracts.interventions.payment import PaymentRecorded, PaymentRefunded
from sav_contracts.interventions.work import Work
from sav_contracts.messages import Event, View


async def texts(stage: Stage, mailbox: Path, event: Event, *before: Event) -> list[str]:
    """What arrives after an event, subject first, with plain spaces."""
    for one in (*before, event):
        earlier = {mail["Message-ID"] for mail in mails(mailbox)} if mailbox.exists() else set()
        await stage.hears(one)
        await stage.runs_effects()
    new = [mail for mail in mails(mailbox) if mail["Message-ID"] not in earlier]
    return [f"{mail['Subject']}\n{plain(mail)}".replace("\N{NO-BREAK SPACE}", " ") for mail in new]


def is_french(text: str) -> bool:
    return "Bonjour " in text


def in_french(texts: list[str]) -> str:
    [text] = filter(is_french, texts)
    return text


async def test_managers_read_why_what_was_done_offline_was_refused(stage: Stage, mailbox: Path) -> None:
    said = await texts(
        stage, mailbox, refused_acts("air_is_dangerous", "signature_missing", "air_is_dangerous")
    )
    assert len(said) == 2
    for text in filter(is_french, said):
        assert text.count("trop de monoxyde de carbone a été mesuré") == 1
        assert "la signature du client manque" in text
        assert "une autre personne" not in text


async def test_a_refusal_without_words_here_is_named_by_its_code(stage: Stage, mailbox: Path) -> None:
    said = await texts(stage, mailbox, refused_acts("made_later"))
    assert said
    assert all("(made_later)" in text for text in said)


@pytest.mark.parametrize("credited", [False, True])
async def test_who_is_paid_back_reads_why_and_whether_they_owe_it_again(
    stage: Stage, mailbox: Path, credited: bool
) -> None:
    if credited:
        await stage.knows(invoice(**(ISSUED | {"status": "credited", "version": 9})))
    paid = payment(status="refunded", refunded=Decimal("1000.00"))
    event = PaymentRefunded(state=paid, amount=Decimal("1000.00"), reason="Chèque encaissé deux fois.")
    said = in_french(await texts(stage, mailbox, event))
    assert "Motif : Chèque encaissé deux fois." in said
    assert ("Cette somme est de nouveau due sur la facture FAC-2026-000042." in said) is not credited


@pytest.mark.parametrize("paid", [False, True])
async def test_after_a_withdrawal_managers_read_what_to_pay_back_and_nobody_tells_technicians_to_invoice(
    stage: Stage, mailbox: Path, paid: bool
) -> None:
    deposit = {"deposit": True, "intervention_id": visit().id, "version": 9}
    await stage.knows(invoice(**(ISSUED | deposit)))
    if paid:
        await stage.knows(
            payment(amount=Decimal("61.51"), refunded=Decimal("1.51"), status="partly_refunded"),
            payment(id=UUID(int=9201), amount=Decimal("99.00"), status="failed"),
        )
    known = date(2126, 12, 10) if paid else None
    said = await texts(stage, mailbox, withdrawn(owed="part_done", begun=True, pay_back_by=known))
    [manager] = [text for text in said if "facturez seulement" in text]
    [technician] = [text for text in said if "enregistrez ce qui a été fait" in text]
    assert (
        "Le client a déjà payé 60,00 €. Après déduction de ce qui reste dû, remboursez-le" in manager
    ) is paid
    assert ("remboursez-le au plus tard le 10 décembre 2126." in manager) is paid
    assert "facturez" not in technician
    assert "déjà payé" not in technician


@pytest.mark.parametrize(("built_in", "paid"), [(None, "205,04"), (work(), "255,04")])
async def test_after_a_withdrawal_what_a_mere_diagnosis_cost_is_not_paid_back(
    stage: Stage, mailbox: Path, built_in: Work | None, paid: str
) -> None:
    issued = ISSUED | {"status": "paid", "version": 9}
    await stage.knows(
        visit(purpose="diagnostic", work=built_in, version=9),
        visit(id=UUID(int=9202), version=9),
        invoice(**issued),
        payment(amount=Decimal("50.00")),
        invoice(**issued, id=UUID(int=9203), intervention_id=UUID(int=9202)),
        payment(id=UUID(int=9204), invoice_id=UUID(int=9203), amount=Decimal("205.04")),
    )
    said = await texts(stage, mailbox, withdrawn())
    assert [text for text in said if f"Le client a déjà payé {paid} €. Remboursez-le" in text]


async def test_of_a_credit_note_one_mail_says_what_becomes_of_all_payments(
    stage: Stage, mailbox: Path
) -> None:
    one = credit("FAC-2026-000042", origin="credit_note")
    left = [
        CreditReceived(state=one.model_copy(update={"id": UUID(int=number)})) for number in (9301, 9302, 9303)
    ]
    said = await texts(stage, mailbox, credit_note(Decimal("600.00")), *left)
    assert len(mails(mailbox)) == 1
    text = in_french(said)
    assert "L’avoir AVO-2026-000007 sur votre facture FAC-2026-000042" in text
    assert "Vous avez donc payé 600,00 € en trop : nous gardons cette somme à votre crédit" in text


@pytest.mark.parametrize("overpaid", [None, Decimal("0.00")])
async def test_a_credit_note_of_what_is_not_paid_promises_no_credit(
    stage: Stage, mailbox: Path, overpaid: Decimal | None
) -> None:
    text = in_french(await texts(stage, mailbox, credit_note(overpaid)))
    assert "est déduit de ce que vous devez" in text
    assert not {word for word in ("crédit", "rembours", "en trop") if word in text}


async def test_what_is_left_after_a_withdrawal_is_paid_back_and_not_kept(stage: Stage, mailbox: Path) -> None:
    await stage.knows(withdrawn().state)
    text = in_french(await texts(stage, mailbox, credit_note(Decimal("600.00"))))
    assert "les 600,00 € que vous avez payés en trop vous seront remboursés" in text
    assert "crédit" not in text


async def test_a_payment_online_names_its_client(stage: Stage, mailbox: Path) -> None:
    event = PaymentRecorded(state=payment(**ONLINE), balance=Decimal("0.00"))
    said = [
        text for text in await texts(stage, mailbox, event) if "payé en ligne" in text and "Facture :" in text
    ]
    assert [text for text in said if "Léa Bernard a payé en ligne" in text]


async def test_an_invoice_is_paid_on_its_last_day_at_the_latest_and_a_deposit_is_called_one(
    stage: Stage, mailbox: Path
) -> None:
    issued = InvoiceIssued(state=invoice(**(ISSUED | {"deposit": True})))
    said = in_french(await texts(stage, mailbox, issued))
    assert "Votre facture d’acompte FAC-" in said
    assert "À régler au plus tard le" in said


async def test_an_estimate_to_check_says_what_it_lacks(stage: Stage, mailbox: Path) -> None:
    event = EstimateWritten(state=estimate(lacks=["certification"]))
    assert "la certification du client, sans laquelle" in in_french(await texts(stage, mailbox, event))


@pytest.mark.parametrize("known", [False, True])
async def test_an_estimate_that_no_mail_brings_to_its_client_says_so(
    stage: Stage, mailbox: Path, known: bool
) -> None:
    if not known:
        await stage.knows(
            client_profile(lea, "Léa Bernard", email="", version=2),
            account(lea, "Léa Bernard", email="", status="invited", version=2),
        )
    said = in_french(await texts(stage, mailbox, EstimateWritten(state=estimate())))
    assert ("Aucune adresse e-mail du client" in said) is not known


async def test_who_refuses_an_estimate_reads_that_it_is_noted(stage: Stage, mailbox: Path) -> None:
    event = EstimateRefused(state=estimate(status="refused", version=3))
    said = [text for text in await texts(stage, mailbox, event) if "Vous avez refusé" in text]
    assert len(said) == 1
    assert "annulée" not in said[0]


@pytest.mark.parametrize("at_provider", [False, True])
async def test_who_gets_a_credit_back_reads_why_and_of_which_invoice(
    stage: Stage, mailbox: Path, at_provider: bool
) -> None:
    event = CreditRefunded(
        state=credit("FAC-2026-000042"),
        amount=Decimal("48.12"),
        reason="Trop-perçu.",
        at_provider=at_provider,
    )
    said = in_french(await texts(stage, mailbox, event))
    assert "Facture : FAC-2026-000042" in said
    assert ("Motif : Trop-perçu." in said) is not at_provider


@pytest.mark.parametrize("locale", ["fr", "en"])
async def test_the_reason_that_nobody_typed_is_in_the_language_of_its_reader(
    stage: Stage, mailbox: Path, locale: str
) -> None:
    await stage.knows(client_profile(lea, "Léa", locale=locale, version=9))
    note = credit_note().model_copy(update={"withdrawn_from": "CMD-2026-000001"})
    [said] = await texts(stage, mailbox, note)
    wanted = {"fr": "Motif : votre rétractation", "en": "Reason: your withdrawal"}[locale]
    assert f"{wanted} (CMD-2026-000001)" in said
    assert "Pièce reprise" not in said


async def test_who_paid_in_part_reads_how_to_pay_the_rest(stage: Stage, mailbox: Path) -> None:
    await stage.knows(invoice(**ISSUED, seller=WITH_BANK).model_copy(update={"version": 9}))
    await stage.knows(account(lea, "Léa Bernard", email_verified=True, version=9))
    part = in_french(await texts(stage, mailbox, PaymentRecorded(state=payment(), balance=Decimal("234.80"))))
    assert "Par virement : IBAN FR76 3000 6000 0112 3456 7890 189, avec le numéro FAC-2026-000042." in part
    assert "/paper?token=" in part


async def test_of_what_is_paid_nothing_says_how_to_pay(stage: Stage, mailbox: Path) -> None:
    await stage.knows(invoice(**ISSUED, seller=WITH_BANK).model_copy(update={"version": 9}))
    event = PaymentRecorded(state=payment(), balance=Decimal("0.00"))
    whole = in_french(await texts(stage, mailbox, event))
    assert "IBAN" not in whole
    assert "/paper?token=" not in whole


def of_purchase(status: Any, paid: str) -> tuple[View, ...]:
    """The invoice of the order, and what was paid for it."""
    order_id = withdrawn_purchase().state.id
    bill = invoice(**ISSUED | {"id": BILL, "status": status, "order_id": order_id, "intervention_id": None})
    received = payment(id=UUID(int=9402), invoice_id=BILL, amount=Decimal(paid), status="captured")
    return (bill, received) if Decimal(paid) else (bill,)


BILL = UUID(int=9401)


def withdrawn_purchase() -> OrderWithdrawn:
    at = datetime(2026, 3, 6, 18, 3, tzinfo=UTC)
    gone = order("a purchase", "shipped", withdrawn_at=at)
    return OrderWithdrawn(state=gone, at=at, pay_back_by=date(2126, 3, 20))


@pytest.mark.parametrize(
    ("status", "paid", "says"),
    [
        ("discarded", "0", "Rien n’a été payé : il n’y a rien à rembourser."),
        ("credited", "0", "Rien n’a été payé : il n’y a rien à rembourser."),
        ("partly_paid", "60", "Le client a payé 60,00 €. Remboursez cette somme au plus tard le"),
        ("paid", "1234.80", "Le client a payé 1 234,80 €. Remboursez cette somme au plus tard le"),
    ],
)
async def test_who_reads_of_a_withdrawn_purchase_reads_what_was_paid(
    stage: Stage, mailbox: Path, status: Any, paid: str, says: str
) -> None:
    await stage.knows(*of_purchase(status, paid))
    said = await texts(stage, mailbox, withdrawn_purchase())
    [text] = [text for text in said if text.startswith("Rétractation du client") and is_french(text)]
    text = text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert says in text


@pytest.mark.parametrize(("back", "left"), [("0", "1 234,80 €"), ("234.80", "1 000,00 €"), ("1234.80", None)])
async def test_once_the_goods_are_back_managers_read_what_to_pay_back(
    stage: Stage, mailbox: Path, back: str, left: str | None
) -> None:
    """What the credit of it gave back already is taken off."""
    given = credit("FAC-2026-000042").model_copy(update={"invoice_id": BILL, "refunded": Decimal(back)})
    await stage.knows(*of_purchase("credited", "1234.80"), given)
    event = OrderReturned(state=withdrawn_purchase().state, pay_back_by=date(2126, 3, 20))
    said = await texts(stage, mailbox, event) if left else []
    if left is None:
        await stage.hears(event)
        await stage.runs_effects()
        assert not mails(mailbox)
    for text in said:
        assert f"{left}" in text.replace("\N{NARROW NO-BREAK SPACE}", " ") or not is_french(text)
    assert bool(said) is (left is not None)
