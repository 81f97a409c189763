"""How orders read in mails."""

from typing import get_args

import pytest
from given_orders import PUMP, VALVE, order_line, order_view
from notifier_cases import CASES
from pydantic_core import from_json

from sav_chassis.testing import Stage, enveloped
from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.claims.order import OrderMoved
from sav_notifier.messages.orders import OrderInStock, OrderIsReceived, OrderToShip, OrderWithdrawalReceipt
from sav_notifier.messages.parts import Piece
from sav_notifier.rendering import rendered

AT = "12 avenue Berthelot, 69007 Lyon"
OURS = {"company": "SAV", "site": None, "contact": None, "link": ""}
OURS |= {"firm_address": AT, "firm_email": "sav@example.com"}
TWO = [Piece(name="Circulateur 25-60", reference="CIR-25-60", quantity=2)]


@pytest.mark.parametrize(
    ("locale", "total", "gross"),
    [
        ("fr", "Total hors TVA\xa0: 1\u202f234,50\xa0€", "TVA comprise\xa0: 1\u202f481,40\xa0€"),
        ("en", "Total excluding VAT: €1,234.50", "including VAT: €1,481.40"),
    ],
)
def test_amounts_read_as_people_write_them(locale: Locale, total: str, gross: str) -> None:
    message = OrderIsReceived.model_validate(
        {
            "reference": "CMD-2026-000001",
            "pieces": TWO,
            "net": "1234.50",
            "gross": "1481.40",
            "currency": "EUR",
        }
    )
    read = rendered("order_received", locale, "Léa", message.model_dump(mode="json") | OURS)
    assert "CMD-2026-000001" in read.subject
    assert gross in read.text
    assert "2 × Circulateur 25-60 (CIR-25-60)" in read.text
    assert total in read.text


async def test_what_is_waited_for_is_named_and_nothing_else() -> None:
    lines = order_line(PUMP, 1, state="reserved"), order_line(VALVE, 3, state="back_ordered")
    moved = OrderMoved(
        state=order_view(*lines, status="back_ordered"), before="validated", after="back_ordered"
    )
    message = OrderInStock.model_validate(
        {
            "reference": "CMD-2026-000001",
            "claim": None,
            "pieces": [
                {"name": line.article, "reference": line.reference, "quantity": line.quantity}
                for line in lines
            ],
            "awaited": [{"name": "Vanne", "reference": "R-502", "quantity": 3}],
            "now": moved.after,
            "validated": True,
        }
    )
    assert await OrderInStock.about(moved, None) == message  # type: ignore[arg-type]
    read = rendered("order_stock", "fr", "Léa", message.model_dump(mode="json") | OURS)
    assert read.subject == "Commande validée, en attente de stock\xa0: CMD-2026-000001"
    assert "Circulateur" not in read.text.partition("Nous attendons encore")[2]
    assert message.true_while(moved.state)
    assert not message.true_while(moved.state.model_copy(update={"status": "reserved"}))


async def test_of_what_a_client_cancels_managers_read_the_parts_in_the_same_message(stage: Stage) -> None:
    case = next(case for case in CASES if case.name == "a client cancels what parts were kept for")
    await stage.hears(enveloped(case.event, case.by))
    rows = await stage.database.pool.fetch(
        "SELECT facts::text FROM notification WHERE template = 'cancelled_by_client'"
    )
    assert [[part["name"] for part in from_json(row["facts"])["parts"]] for row in rows] == [
        ["Joint torique"]
    ] * 2


@pytest.mark.parametrize("known", [True, False])
def test_who_ships_a_purchase_reads_where_it_goes_and_whom_to_call(known: bool) -> None:
    home = Address(address="3 rue des Lilas", postcode="69003", city="Lyon")
    message = OrderToShip(
        reference="CMD-2026-000001",
        claim=None,
        who="Léa",
        pieces=TWO,
        phones=("+33612345678",) if known else (),
        addresses=(home,) if known else (),
    )
    read = rendered("order_to_ship", "fr", "Marie", message.model_dump(mode="json") | OURS).text
    assert ("Adresse\xa0: 3 rue des Lilas, 69003 Lyon" in read) is known
    assert ("Téléphone\xa0: +33612345678" in read) is known
    assert ("demandez-lui où livrer" in read) is not known


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("fr", ("14 jours après la réception", "Formulaire de rétractation", "2 mars 2026")),
        ("en", ("14 days after you", "Withdrawal form", "2 March 2026")),
    ],
)
def test_the_confirmation_tells_the_right_to_withdraw_with_its_form(
    locale: Locale, words: tuple[str, ...]
) -> None:
    known = {"reference": "CMD-2026-000001", "pieces": TWO, "net": "1234.50", "currency": "EUR"}
    right = {"days": 14, "client": "Léa Bernard", "at": "2026-03-02T09:00:00Z"}
    read, without = (
        rendered(
            "order_received",
            locale,
            "Léa",
            OrderIsReceived.model_validate(facts).model_dump(mode="json") | OURS,
        ).text
        for facts in (known | right, known)
    )
    assert [word for word in (*words, "Léa Bernard") if word not in read] == []
    to = "To" if locale == "en" else "À l’attention de\N{NO-BREAK SPACE}"
    assert f"{to}: SAV, {AT}, sav@example.com\n" in read
    assert words[1] not in without


@pytest.mark.parametrize("locale", get_args(Locale))
def test_the_receipt_of_a_withdrawal_says_where_the_goods_go(locale: Locale) -> None:
    facts = {"reference": "CMD-2026-000001", "client": "Léa", "pieces": TWO, "gross": None, "currency": "EUR"}
    facts |= {"at": "2026-03-02T09:00:00Z", "pay_back_by": None}
    message = OrderWithdrawalReceipt.model_validate({**facts, "shipped": True}).model_dump(mode="json")
    read = rendered("order_withdrawal_receipt", locale, "Léa", message | OURS).text
    assert f"{'to' if locale == 'en' else 'articles à'} SAV, {AT}" in read
