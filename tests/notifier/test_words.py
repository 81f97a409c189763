"""What messages say about what follows, who acted, and what is meant: the sentences that people misread before."""

from pathlib import Path
from uuid import UUID

import pytest
import world
from given_notifier import (
    BORN,
    DRAFT,
    LATER,
    SLOT,
    account,
    invoice,
    moved,
    nadia,
    planned,
    reclamation,
    report,
    scheduled,
    visit,
)
from given_views import a
from kept_mails import mails, plain
from notifier_cases import CASES
from notifier_cases_by_hand import OF_NONE, UPKEEP, upkeep
from world import lea

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.session import SignedInFromNewPlace
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import InvoiceDrafted
from sav_contracts.interventions.report import ReportSubmitted, ReportValidated
from sav_contracts.interventions.technician import TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import CarbonMonoxideFound, WarrantyDecided
from sav_contracts.messages import Event
from sav_notifier.message import MESSAGES
from sav_notifier.rendering import rendered


async def read_by(
    stage: Stage, mailbox: Path, event: Event, address: str, *before: Event, by: Actor = SYSTEM
) -> list[str]:
    """What arrives at that address, with its subject and plain spaces."""
    for earlier in before:
        await stage.hears(earlier)
        await stage.runs_effects()
    earlier_ones = {mail["Message-ID"] for mail in mails(mailbox)}
    await stage.hears(enveloped(event, by))
    await stage.runs_effects()
    texts = [
        f"{mail['Subject']}\n{plain(mail)}"
        for mail in mails(mailbox)
        if mail["Message-ID"] not in earlier_ones and mail["To"].addresses[0].addr_spec == address
    ]
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts]


def case(name: str) -> Event:
    return next(case.event for case in CASES if case.name == name)


@pytest.mark.parametrize(
    ("name", "status", "promised"),
    [
        ("maintenance off", "cancelled", False),
        ("maintenance off", "declined", True),
        ("cancelled appointment", "cancelled", True),
    ],
)
async def test_another_time_is_promised_only_where_one_follows(
    stage: Stage, mailbox: Path, name: str, status: str, promised: bool
) -> None:
    told = next(case for case in CASES if case.name == name)
    for earlier in told.before:
        await stage.hears(earlier)
        await stage.runs_effects()
    over = upkeep if name == "maintenance off" else visit
    await stage.knows(over(status=status, version=8))
    [text] = await read_by(stage, mailbox, told.event, "lea@example.org")
    assert ("Dès qu’un nouvel horaire est fixé" in text) is promised
    assert ("Aucune autre visite n’est prévue" in text) is not promised


async def test_who_declined_for_somebody_is_named_and_the_other_one_is_told(
    stage: Stage, mailbox: Path
) -> None:
    declined = moved("declined", "En arrêt maladie.")
    [to_karim] = await read_by(stage, mailbox, declined, "karim@example.com", planned(), by=world.marie)
    assert "Marie Leroy a décliné en votre nom la visite" in to_karim
    to_marie = next(
        plain(mail) for mail in mails(mailbox) if mail["To"].addresses[0].addr_spec == "marie@example.com"
    )
    assert "au nom de Karim Haddad" in to_marie


async def test_who_gave_up_a_visit_that_was_to_follow_tells_its_client(stage: Stage, mailbox: Path) -> None:
    stopped = moved("cancelled", "secret", before="planned", follows_id=UUID(int=199))
    told = stopped.model_copy(update={"happened_at": SLOT.start})
    [text] = await read_by(stage, mailbox, told, "lea@example.org")
    assert "n’aura pas lieu" in text
    assert "secret" not in text


async def test_the_client_learns_whether_the_appliance_may_run(stage: Stage, mailbox: Path) -> None:
    found = CarbonMonoxideFound(state=visit(status="in_progress", version=5), ppm=22, air="abnormal")
    [text] = await read_by(stage, mailbox, found, "lea@example.org")
    assert "L’appareil peut fonctionner une fois cette vérification faite" in text
    assert "il reste à l’arrêt jusqu’à sa remise en service" in text


def french(**facts: object) -> str:
    """A text of a message, with plain spaces."""
    template = str(facts.pop("template"))
    found = rendered(template, "fr", "Léa Bernard", {"company": "SAV", "contact": "", "site": ""} | facts)
    return f"{found.subject}\n{found.text}".replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("role", "said"), [("admin", "en tant qu’administrateur"), ("technician", "en tant que technicien")]
)
def test_an_invitation_elides_before_a_vowel(role: str, said: str) -> None:
    asked = {"role": role, "link": "", "token": "t", "expires_at": "2026-12-01", "zone": "Europe/Paris"}
    assert said in french(template="invitation", **asked)


def test_what_stock_was_overdrawn_for_is_called_what_it_is() -> None:
    facts = {"article": "Joint", "reference": "JT-18", "used": 3, "there": 1, "reserved": 0}
    text = french(template="stock_overdrawn", claim="INT-2026-000002", **facts)
    assert "Pour l’intervention INT-2026-000002" in text
    assert "réclamation" not in text


async def test_a_draft_for_no_reclamation_names_its_visit_and_its_appliance(
    stage: Stage, mailbox: Path
) -> None:
    await stage.knows(upkeep(version=2))
    draft = InvoiceDrafted(state=invoice(id=DRAFT, **OF_NONE, intervention_id=UPKEEP))
    [text] = await read_by(stage, mailbox, draft, "marie@example.com")
    assert "Facture à émettre : INT-2026-000007" in text
    assert "- Intervention : INT-2026-000007" in text
    assert "- Appareil : Chaudière Azur 24" in text


async def test_a_warranty_is_asked_for_once_until_it_is_decided(stage: Stage, mailbox: Path) -> None:
    def asked(number: int) -> WarrantyDecided:
        state = visit(id=UUID(int=number), warranty=Warranty(decision="unknown", why="no_product"))
        return WarrantyDecided(state=state, decision="unknown")

    [first] = await read_by(stage, mailbox, asked(201), "marie@example.com")
    assert "Pour la visite pour" not in first
    assert await read_by(stage, mailbox, asked(202), "marie@example.com") == []
    decided = Warranty(decision="not_covered", why="covers_ended")
    await stage.knows(visit(id=UUID(int=202), warranty=decided, version=5))
    assert len(await read_by(stage, mailbox, asked(203), "marie@example.com")) == 1


@pytest.mark.parametrize("edition", [1, 2])
async def test_a_corrected_report_is_said_to_be_one(stage: Stage, mailbox: Path, edition: int) -> None:
    state = report(edition=edition)
    [asked] = await read_by(stage, mailbox, ReportSubmitted(state=state), "marie@example.com")
    assert ("clore la visite" in asked) is (edition == 1)
    assert ("Il corrige un rapport" in asked) is (edition == 2)
    validated = ReportValidated(state=state.model_copy(update={"status": "validated", "version": 3}))
    [read] = await read_by(stage, mailbox, validated, "lea@example.org")
    assert ("a été corrigé" in read) is (edition == 2)


@pytest.mark.parametrize(("status", "named"), [("planned", True), ("incomplete", False)])
async def test_a_visit_takes_the_place_of_none_that_took_place(
    stage: Stage, mailbox: Path, status: str, named: bool
) -> None:
    first, second = UUID(int=201), UUID(int=202)
    await read_by(stage, mailbox, scheduled(id=first), "karim@example.com")
    await stage.knows(visit(id=first, status=status, slot=SLOT, version=9))
    [text] = await read_by(stage, mailbox, scheduled(LATER, id=second), "karim@example.com")
    assert ("Au lieu de" in text) is named


async def test_who_became_a_manager_is_not_told_that_they_left(stage: Stage) -> None:
    card = a(
        TechnicianView, world.marie.id, technician_id=world.marie.id, name="Marie", active=False, version=2
    )
    await stage.knows(reclamation(id=UUID(int=102), technician_id=world.marie.id, status="assigned"))
    outcome = await stage.hears(TechnicianLeft(state=card))
    assert {event.state.user_id for event in outcome.events} == {nadia.id}


@pytest.mark.parametrize("by", [world.karim, world.marie], ids=["the technician", "a manager"])
async def test_who_plans_their_own_visit_is_not_asked_whether_they_take_it(
    stage: Stage, mailbox: Path, by: Actor
) -> None:
    [text] = await read_by(stage, mailbox, scheduled(), "karim@example.com", by=by)
    assert ("Vous avez planifié une visite." in text) is (by is world.karim)
    assert ("ou de la décliner" in text) is (by is world.marie)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1 evil.example", "127. 0. 0.1 evil. example"),
        ("fe80::1%evil.example", "evil. example"),
    ],
)
async def test_an_address_that_a_server_saw_is_whole(
    stage: Stage, mailbox: Path, seen: str, said: str
) -> None:
    """Whatever is not an address is still no link, where somebody signed up with a stranger's mail address."""
    unsure = account(lea, "Léa Bernard", email="lea.signs.in@example.com", email_verified=False, version=3)
    await stage.knows(unsure)
    told = SignedInFromNewPlace(state=unsure, at=BORN, address=seen, agent="curl")
    [text] = await read_by(stage, mailbox, told, "lea.signs.in@example.com")
    assert said in text


def test_names_that_are_written_to_the_left_do_not_move_what_follows() -> None:
    name = "فاطمة الزهراء"
    facts = {"reference": "REC-2026-000001", "technician": name, "company": "SAV", "contact": "", "site": ""}
    found = rendered("technician_on_the_way", "fr", name, facts)
    for text in (found.text, found.html):
        assert f"Bonjour \u2068{name}\u2069," in text
        assert text.count(f"\u2068{name}\u2069") >= 2
        assert text.count("\u2068") == text.count("\u2069")


def test_names_in_our_direction_have_no_marks() -> None:
    facts = {
        "reference": "REC-2026-000001",
        "technician": "Νίκη 王小明",
        "company": "SAV",
        "contact": "",
        "site": "",
    }
    found = rendered("technician_on_the_way", "fr", "Léa", facts)
    assert not {"\u2068", "\u2069"} & {*found.text, *found.html, *found.subject}


@pytest.mark.parametrize(
    ("name", "cancelled", "less_what_is_owed"),
    [
        ("nothing was done", True, False),
        ("somebody is on site", False, False),
        ("a part is owed", False, True),
        ("a part is owed and another visit was planned", True, True),
    ],
)
async def test_a_receipt_of_a_withdrawal_says_what_is_cancelled_and_what_is_paid_back(
    stage: Stage, mailbox: Path, name: str, cancelled: bool, less_what_is_owed: bool
) -> None:
    [text] = await read_by(stage, mailbox, case(f"a withdrawal: {name}"), "lea@example.org")
    assert ("est annulée" in text) is cancelled
    assert ("seront remboursées, déduction faite de ce qui reste dû." in text) is less_what_is_owed
    assert ("seront remboursées." in text) is not less_what_is_owed


@pytest.mark.parametrize(
    "template", ["withdrawal_receipt", "estimate_accepted", "credit_received", "credit_note_issued"]
)
def test_what_a_client_keeps_as_proof_is_sent_late_too(template: str) -> None:
    assert MESSAGES[template].declared.lasting


@pytest.mark.parametrize("template", ["payment_refunded", "credit_refunded"])
@pytest.mark.parametrize(
    ("method", "by_bank"), [("cash", False), ("cheque", False), ("transfer", True), ("card", True)]
)
def test_only_what_a_bank_pays_back_takes_days(template: str, method: str, by_bank: bool) -> None:
    facts = {
        "number": "FAC-2026-000042",
        "amount": "20.00",
        "currency": "EUR",
        "method": method,
        "reason": "Geste commercial",
        "owed": False,
        "company": "SAV",
        "contact": "",
        "site": "",
    }
    assert ("Selon votre banque" in rendered(template, "fr", "Léa", facts).text) is by_bank
    assert ("Depending on your bank" in rendered(template, "en", "Léa", facts).text) is by_bank


async def test_what_a_credit_pays_is_no_second_receipt(stage: Stage, mailbox: Path) -> None:
    [text] = await read_by(stage, mailbox, case("paid from a credit"), "lea@example.org")
    assert "Nous avons utilisé votre crédit" in text
    assert "951,88" in text
    assert not {word for word in ("reçu", "virement") if word in text}


async def test_what_deposits_cover_is_not_asked_for(stage: Stage, mailbox: Path) -> None:
    [text] = await read_by(stage, mailbox, case("invoice that deposits cover"), "lea@example.org")
    assert "il ne reste rien à payer" in text
    assert not {word for word in ("À régler", "votre règlement") if word in text}


async def test_a_client_reads_no_reason_that_nobody_gave(stage: Stage, mailbox: Path) -> None:
    [text] = await read_by(stage, mailbox, case("paid back at the provider"), "lea@example.org")
    assert "Motif" not in text
    [text] = await read_by(stage, mailbox, case("a payment is paid back"), "lea@example.org")
    assert "Motif : Geste commercial." in text


async def test_a_dispute_of_what_became_a_credit_opens_no_invoice(stage: Stage, mailbox: Path) -> None:
    [text] = await read_by(stage, mailbox, case("a credit is disputed"), "marie@example.com")
    assert "crédit du client, bloqué" in text
    assert "0,00" not in text
    for name, said in (
        ("won", "le crédit du client est de nouveau disponible"),
        ("lost", "le crédit du client avec lui"),
    ):
        [text] = await read_by(stage, mailbox, case(f"a dispute of a credit is {name}"), "marie@example.com")
        assert said in text
        assert "0,00" not in text


def test_a_dispute_is_decided_for_the_firm_or_against_it() -> None:
    facts = {
        "number": "FAC-2026-000042",
        "amount": "20.00",
        "currency": "EUR",
        "company": "SAV",
        "contact": "",
        "site": "",
    }
    for won, said in ((True, "tranchée en notre faveur"), (False, "tranchée contre nous")):
        mail = rendered("dispute_closed", "fr", "Marie", facts | {"won": won})
        assert said in mail.subject
        assert said in mail.text


async def test_an_invoice_whose_client_no_reminder_reached_is_not_called_reminded(
    stage: Stage, mailbox: Path
) -> None:
    [told] = await read_by(stage, mailbox, case("the last one"), "marie@example.com")
    assert told.startswith("Impayée, sans rappel possible : FAC-2026-000042")
    assert "Aucun rappel d’une facture n’a pu être envoyé" in told


@pytest.mark.parametrize(("reminders", "several"), [(1, False), (3, True)])
async def test_the_only_reminder_speaks_of_no_others(
    stage: Stage, mailbox: Path, reminders: int, several: bool
) -> None:
    [told] = await read_by(stage, mailbox, case(f"the last reminder of {reminders}"), "lea@example.org")
    assert ("Malgré nos rappels" in told) is several
