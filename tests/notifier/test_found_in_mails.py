"""What clients have to find in a mail: what to pay and how, whom to reach, what a visit is about, and names in good French."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from given_notifier import ISSUED, WITH_BANK, invoice, moved
from kept_mails import html, mails, plain
from notifier_cases import CASES

from sav_chassis.testing import Stage
from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_contracts.messages import Event
from sav_notifier.messages.billing import InvoiceToPay
from sav_notifier.rendering import rendered
from sav_notifier.settings import sender


def case(name: str) -> Event:
    return next(case.event for case in CASES if case.name == name)


async def lea_reads(stage: Stage, mailbox: Path, event: Event) -> str:
    """The one mail that Léa gets, with plain spaces."""
    before = {mail["Message-ID"] for mail in mails(mailbox)}
    await stage.hears(event)
    await stage.runs_effects()
    [text] = [
        plain(mail) for mail in mails(mailbox) if mail["Message-ID"] not in before and "lea@" in mail["To"]
    ]
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("firm", "said"),
    [
        ({"phone": "+33 4 72 00 00 00"}, "Pour nous joindre : +33 4 72 00 00 00, contact@example.com"),
        ({}, "Pour nous joindre : contact@example.com"),
        ({"email": None}, ""),
    ],
)
async def test_every_mail_says_how_to_reach_the_firm(
    stage: Stage, mailbox: Path, monkeypatch: pytest.MonkeyPatch, firm: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(sender(), "seller", DEMONSTRATION.model_copy(update=firm))
    await stage.hears(moved("en_route"))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    text = plain(mail).replace("\N{NO-BREAK SPACE}", " ")
    assert said in text
    assert ("Pour nous joindre" in text) is bool(said)
    assert said in html(mail).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [("invoice of a contract that was just concluded at home", True), ("invoice issued", False)],
)
async def test_an_invoice_says_until_when_nothing_may_be_paid(
    stage: Stage, mailbox: Path, name: str, forbidden: bool
) -> None:
    text = await lea_reads(stage, mailbox, case(name))
    assert ("nous interdit de recevoir un paiement avant la fin du 7 décembre 2026" in text) is forbidden
    assert "À régler au plus tard le : 24 décembre 2026" in text


async def test_an_invoice_says_where_to_transfer_the_money(stage: Stage, mailbox: Path) -> None:
    iban = "FR76 3000 6000 0112 3456 7890 189"
    text = await lea_reads(stage, mailbox, case("invoice that is paid by transfer"))
    assert f"- Par virement : IBAN {iban}\n" in text
    text = await lea_reads(stage, mailbox, case("invoice issued"))
    assert "virement" not in text
    await stage.knows(invoice(**(ISSUED | {"seller": WITH_BANK, "version": 9})))
    text = await lea_reads(stage, mailbox, case("failed online"))
    assert f"Par virement : IBAN {iban}, avec le numéro FAC-2026-000042." in text


@pytest.mark.parametrize(
    ("settled", "ends"),
    [
        (False, "PDF, et la régler si le paiement en ligne est proposé :\n"),
        (True, "la télécharger en PDF :\n"),
    ],
)
def test_an_invoice_promises_a_payment_online_only_where_it_is_offered(settled: bool, ends: str) -> None:
    """Whether it is depends on the firm, and on the day: the page of the link knows."""
    known = {"number": "FAC-2026-000042", "total": "101.88", "currency": "EUR", "settled": settled}
    message = InvoiceToPay.model_validate(known | {"reference": None, "due_on": None})
    sent = {"company": "SAV", "contact": "", "site": "", "link": "https://sav.example/paper?token=t"}
    text = rendered("invoice_issued", "fr", "Léa", message.model_dump(mode="json") | sent).text
    assert ends in text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "later"), [("an estimate", False), ("another edition of an estimate", True)]
)
async def test_a_later_edition_of_an_estimate_says_that_it_replaces_the_earlier_one(
    stage: Stage, mailbox: Path, name: str, later: bool
) -> None:
    text = await lea_reads(stage, mailbox, case(name))
    assert ("Il remplace la version que vous avez reçue auparavant." in text) is later
    assert (" v2 " in text) is later


async def test_a_visit_for_no_claim_says_what_it_is_about_and_where(stage: Stage, mailbox: Path) -> None:
    text = await lea_reads(stage, mailbox, case("maintenance booked"))
    assert "l’intervention INT-2026-000007 est confirmé." in text
    assert "- Objet : entretien\n- Appareil : Chaudière Azur 24\n- Lieu : 12 rue des Lilas, " in text
    text = await lea_reads(stage, mailbox, case("booked as planned"))
    assert "Objet" not in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Emma", "la visite d’Emma pour"),
        ("Élodie", "la visite d’Élodie pour"),
        ("Yves", "la visite d’Yves pour"),
        ("Yasmine", "la visite de Yasmine pour"),
        ("Karim", "la visite de Karim pour"),
        ("Hassan", "la visite de Hassan pour"),
    ],
)
def test_french_is_elided_before_a_name(name: str, said: str) -> None:
    facts = {
        "reference": "REC-2026-000001",
        "article": "Chaudière",
        "open_until": "2126-12-01T12:00:00Z",
        "zone": "Europe/Paris",
        "company": "SAV",
        "contact": "",
        "site": "",
        "link": "",
    }
    assert said in rendered("feedback_invited", "fr", "Léa", facts | {"technician": name}).text
    assert (
        f"{name} visited you" in rendered("feedback_invited", "en", "Léa", facts | {"technician": name}).text
    )


def test_french_before_a_name_is_left_to_the_filter() -> None:
    """Or a mail says “de Emma”."""
    names = r"(technician|client|who|by|name|company|instead_of)"
    for path in files("sav_notifier").joinpath("messages").iterdir():
        if path.name.endswith(".fr.txt"):
            found = re.findall(rf"\b(?:de|que)\b(?: {{{{ | \" ~ ){names}\b", path.read_text())
            assert found == [], path.name
