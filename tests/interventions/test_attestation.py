"""Attestations of services: required when one is completed, made with its report, reminded of, printed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pypdfium2  # type: ignore[import-untyped]
import pytest
from given_attestations import shown
from given_interventions import PRODUCT, VISIT, report
from given_readings import DONE, SERVICED, article, karim, lea, service, serviced, unit
from papers import text_of

from sav_chassis.files import Files
from sav_chassis.testing import Stage, enveloped
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.attestation import (
    AttestationChanged,
    AttestationMade,
    AttestationReminderDue,
    AttestationRequired,
)
from sav_contracts.interventions.visit import InterventionClosed, InterventionMoved, InterventionView
from sav_interventions.attestation_pdf import attestation_pdf
from sav_interventions.settings import billing


def completed(state: InterventionView) -> InterventionMoved:
    return InterventionMoved(state=state, before="in_progress", after="completed")


def closed(state: InterventionView) -> InterventionClosed:
    return InterventionClosed(state=state, outcome="completed")


@pytest.fixture
async def known(stage: Stage) -> Stage:
    await stage.knows(unit(), article(), lea())
    await stage.given(
        karim(),
        service("completed", done_at=DONE),
        report("validated", recommendations="Purger les radiateurs."),
    )
    return stage


async def test_a_completed_service_has_to_be_attested_within_fifteen_days_of_its_day(known: Stage) -> None:
    required = (await known.hears(completed(serviced()))).only(AttestationRequired).state
    assert (required.serviced_on, required.due_on, required.status) == (SERVICED, date(2026, 3, 20), "due")
    assert (required.intervention_id, required.product_id) == (VISIT, PRODUCT)
    assert required.for_client() is None


@pytest.mark.parametrize(
    ("fields", "built"),
    [
        ({"purpose": "repair"}, {}),
        ({"product_id": None}, {}),
        ({}, {"fuel": "electric"}),
        ({}, {"power_kw": Decimal(401)}),
        ({}, {"heats": "water"}),
    ],
    ids=["a repair", "no unit", "electric", "a large boiler", "a water heater"],
)
async def test_other_visits_need_no_attestation(known: Stage, fields: Any, built: Any) -> None:
    await known.knows(article(version=2, **built))
    state = serviced(**fields)
    assert (await known.hears(completed(state))).events == []
    assert (await known.hears(closed(state))).events == []


async def test_what_is_told_twice_is_required_once(known: Stage) -> None:
    await known.hears(completed(serviced()))
    assert (await known.hears(enveloped(completed(serviced())))).events == []


async def test_the_attestation_is_made_with_the_report(known: Stage) -> None:
    await known.hears(completed(serviced()))
    written = (await known.hears(closed(serviced(version=6)))).only(AttestationChanged).state
    said = written.attested
    assert said
    assert (said.kind, said.article, said.brand, said.serial) == (
        "boiler", "Chaudière murale Lumea 24", "Lumea", "LUM24-7431",
    )  # fmt: skip
    assert (said.fuel, said.power_kw, said.commissioned_on) == ("gas", Decimal(24), date(2025, 1, 15))
    assert (said.client, said.technician, said.firm) == ("Léa Bernard", "Karim Haddad", billing().seller)
    assert (said.place.city, said.place.access_notes) == ("Lyon", None)
    assert (said.co_ppm, said.co_not_measured, said.readings) == (3, None, {"Rendement": "94 %"})
    assert (said.advice, said.next_service_due) == ("Purger les radiateurs.", date(2027, 3, 5))
    assert {task.done for task in said.tasks} == {True}
    assert written.status == "due", "until its paper is there"

    made = (await known.runs_effects()).only(AttestationMade).state
    assert (made.status, made.for_client()) == ("made", made)
    assert made.document
    assert (made.document.media_type, made.document.name) == (
        "application/pdf",
        "attestation LUM24-7431 2026-03-05.pdf",
    )
    pdf = await Files(known.settings.files_url).get(made.document)
    assert pdf == attestation_pdf(written, "fr")


async def test_a_report_that_is_closed_again_changes_nothing(known: Stage) -> None:
    await known.hears(completed(serviced()))
    await known.hears(closed(serviced(version=6)))
    await known.runs_effects()
    assert (await known.hears(closed(serviced(version=7)))).events == []
    assert (await known.runs_effects()).events == []


async def test_a_service_that_was_completed_before_there_were_attestations_has_one(known: Stage) -> None:
    told = await known.hears(closed(serviced()))
    assert [type(one) for one in told.events] == [AttestationRequired, AttestationChanged]


async def test_somebody_is_reminded_five_days_before_and_once_it_is_overdue(known: Stage) -> None:
    today = known.now().date()
    visited = serviced(done_at=datetime(today.year, today.month, today.day, 9, tzinfo=UTC))
    due = (await known.hears(completed(visited))).only(AttestationRequired).state.due_on
    assert (await known.passes(timedelta(days=9))).events == []
    first = (await known.passes(timedelta(days=2))).only(AttestationReminderDue)
    assert (first.overdue, first.state.due_on) == (False, due)
    assert (await known.passes(timedelta(days=4))).events == []
    assert (await known.passes(timedelta(days=2))).only(AttestationReminderDue).overdue
    assert (await known.passes(timedelta(days=60))).events == []


@pytest.mark.parametrize(
    ("ago", "overdue"),
    [(9, [False, True]), (12, [False, True]), (14, [False, True]), (15, [True]), (20, [True])],
)
async def test_of_a_visit_that_is_told_late_somebody_is_reminded_the_next_morning(
    known: Stage, ago: int, overdue: list[bool]
) -> None:
    today = known.now().astimezone(ZoneInfo(billing().law.zone)).date()
    visited = datetime(today.year, today.month, today.day, 9, tzinfo=UTC) - timedelta(days=ago)
    await known.hears(completed(serviced(done_at=visited)))
    told = []
    for _ in range(30):
        told += (await known.passes(timedelta(days=1))).events
    assert [one.overdue for one in told if isinstance(one, AttestationReminderDue)] == overdue


@pytest.mark.parametrize(
    "built", [{"fuel": "electric"}, {"power_kw": Decimal(401)}, {"heats": "water"}], ids=str
)
async def test_what_had_to_be_attested_is_attested_whatever_its_article_became(
    known: Stage, built: Any
) -> None:
    await known.hears(completed(serviced()))
    await known.knows(article(version=2, **built))
    said = (await known.hears(closed(serviced(version=6)))).only(AttestationChanged).state.attested
    assert said
    assert said.kind == "boiler"
    assert said.reference.startswith("Code de l’environnement")
    assert (await known.runs_effects()).only(AttestationMade).state.document


async def test_nobody_is_reminded_of_what_is_there(known: Stage) -> None:
    today = known.now().date()
    visited = serviced(done_at=datetime(today.year, today.month, today.day, 9, tzinfo=UTC))
    await known.hears(completed(visited))
    await known.hears(closed(visited))
    await known.runs_effects()
    assert (await known.passes(timedelta(days=60))).events == []


async def test_what_waits_for_an_article_is_attested_later(stage: Stage) -> None:
    await stage.knows(unit())
    await stage.hears(completed(serviced()))
    assert len(await stage.parked()) == 1


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "fr",
            (
                "Attestation d’entretien",
                "5 mars 2026",
                "3 ppm",
                "24 kW",
                "5 mars 2027",
                "Nettoyer le brûleur",
                "fait",
            ),
        ),
        (
            "en",
            (
                "Attestation of service",
                "5 March 2026",
                "3 ppm",
                "24 kW",
                "5 March 2027",
                "Clean the burner",
                "done",
            ),
        ),
    ],
)
def test_the_paper_says_what_was_done_and_measured(locale: Locale, words: tuple[str, ...]) -> None:
    text = text_of(attestation_pdf(shown(), locale))
    for said in (
        *words,
        "LUM24-7431",
        "Léa Bernard",
        "Karim Haddad",
        "3 rue des Lilas",
        "Purger les radiateurs.",
    ):
        assert said in text, text


def test_the_paper_says_why_nothing_was_measured_and_what_was_not_done() -> None:
    tasks = [
        task.model_copy(update={"done": False, "reason": "trappe condamnée"})
        if task.code == "check_flue"
        else task
        for task in serviced().tasks
    ]
    text = text_of(attestation_pdf(shown(co_ppm=None, co_not_measured="sealed", tasks=tasks), "fr"))
    assert "l’appareil est étanche" in text
    assert "non fait" in text
    assert "trappe condamnée" in text


def test_the_paper_is_archivable_and_the_same_each_time() -> None:
    pdf = attestation_pdf(shown(), "fr")
    assert b"pdfaid:part>2" in pdf
    assert attestation_pdf(shown(), "fr") == pdf
    assert attestation_pdf(shown(), "en") != pdf


@pytest.mark.parametrize(
    "name", ["漢字 王小明", "شركة الصيانة", "Γιώργος Παπαδόπουλος", "Léa 😀", '#panic("x") $x$ *a*']
)
def test_a_name_in_any_script_is_printed(name: str) -> None:
    pdf = attestation_pdf(shown(client=name, technician=name, advice=name, article=name), "fr")
    assert pdf.startswith(b"%PDF-")


def test_a_long_paper_has_several_pages() -> None:
    many = {f"Mesure {number}": "x" * 190 for number in range(30)}
    assert attestation_pdf(shown(readings=many, advice="mot " * 900), "fr").startswith(b"%PDF-")


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_usual_attestation_is_one_page(locale: Locale) -> None:
    """Also with all that may stand on it, and a name of eighty characters."""
    measured = {"Rendement": "94 %", "Fumées": "62 °C", "CO2": "9,1 %", "O2": "4,5 %", "Tirage": "12 Pa"}
    advice = "Purger les radiateurs.\nFaire contrôler le vase d’expansion.\nNe pas obstruer la ventilation."
    full = {"visit": "INT-2026-000123", "readings": measured, "advice": advice, "client": "Anne Marie " * 8}
    assert len(pages(attestation_pdf(shown(**full), locale))) == 1


@pytest.mark.parametrize("lines", range(6, 30))
def test_a_signature_is_never_alone_on_a_page(lines: int) -> None:
    advice = "\n".join(f"Conseil {number}." for number in range(lines))
    *_, last = pages(attestation_pdf(shown(advice=advice), "fr"))
    for said in (f"Conseil {lines - 1}.", "Prochain entretien", "Signature et cachet", "À conserver"):
        assert said in last


def pages(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as read:
        return [page.get_textpage().get_text_range() for page in read]
