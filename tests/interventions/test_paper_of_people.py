"""What people wrote and measured on the papers of a visit: in the direction of its script, whole, and with its meaning."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]
import pytest
from given_interventions import NOW, REPORT, VISIT, report, work
from papers import text_of
from pictures import picture

from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Place
from sav_contracts.claims.safety import Words
from sav_contracts.files import StoredFile
from sav_contracts.interventions.attestation import AttestationView, Attested
from sav_contracts.interventions.task import Appliance, Task
from sav_interventions.attestation_pdf import attestation_pdf
from sav_interventions.checklists import tasks_for
from sav_interventions.report_pdf import ReportPaper, report_pdf
from sav_interventions.safety import air_of
from sav_interventions.settings import billing

ARABIC = "فاطمة الزهراء"
PLACE = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
DRAWN = StoredFile(sha256="a" * 64, media_type="image/png", size=9, name="signature.png")
AT = datetime(2026, 3, 5, 10, 45, tzinfo=UTC)
TASKS = (
    Task(code="check_flue", text=Words(en="Check", fr="Vérifier"), done=False, reason="trappe condamnée"),
    Task(code="advise", text=Words(en="Advise", fr="Conseiller"), done=True),
)


class Letter(NamedTuple):
    text: str
    left: float
    bottom: float
    right: float


def letters(pdf: bytes) -> list[Letter]:
    """Each letter of the paper with its place, in points."""
    found = []
    with pypdfium2.PdfDocument(pdf) as read:
        for page in read:
            texts = page.get_textpage()
            for number in range(texts.count_chars()):
                left, bottom, right, _ = texts.get_charbox(number)
                found.append(Letter(texts.get_text_range(number, 1), left, bottom, right))
    return found


def is_arabic(letter: Letter) -> bool:
    return any("\u0600" <= one <= "\u06ff" or "\ufb50" <= one <= "\ufefc" for one in letter.text)


def report_paper(locale: Locale = "fr", said: dict[str, Any] | None = None, **fields: Any) -> bytes:
    made = report("submitted", **({"submitted_at": NOW, "photos": [], "signature": None} | (said or {})))
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    usual: dict[str, Any] = {
        "firm": billing().seller,
        "reference": "REC-2026-000100",
        "client": "Léa Martin",
        "technician": "Karim Haddad",
        "place": PLACE,
        "product": "Chaudière",
        "serial": "LM-7",
        "purpose": "repair",
        "status": "completed",
        "cause": None,
        "done_at": AT,
        "signed_at": AT,
        "work": work("V-1"),
    }
    shown = ReportPaper(locale=locale, report=made.view(), **(usual | fields))
    return report_pdf(shown, {REPORT: picture("PNG")})


def attestation_paper(locale: Locale = "fr", **fields: Any) -> bytes:
    usual: dict[str, Any] = {
        "kind": "boiler",
        "article": "Chaudière",
        "brand": "Lumea",
        "model": None,
        "serial": "LM-7",
        "fuel": "gas",
        "power_kw": Decimal(24),
        "commissioned_on": None,
        "client": "Léa Martin",
        "place": PLACE,
        "technician": "Karim Haddad",
        "firm": billing().seller,
        "tasks": list(TASKS),
        "co_ppm": 3,
        "readings": {},
        "advice": None,
        "next_service_due": None,
        "reference": "Arrêté du 15 septembre 2009",
        "visit": "INT-2026-000007",
    }
    shown = AttestationView(
        id=UUID(int=900),
        version=1,
        created_at=NOW,
        updated_at=NOW,
        intervention_id=VISIT,
        product_id=UUID(int=90),
        reclamation_id=None,
        serviced_on=date(2026, 3, 5),
        due_on=date(2026, 3, 20),
        status="made",
        attested=Attested(**(usual | fields)),
    )
    return attestation_pdf(shown, locale)


def test_the_date_of_a_signature_stands_behind_an_arabic_name() -> None:
    pdf = report_paper(said={"signature": DRAWN, "signed_by": ARABIC, "signed_at": AT})
    assert b"pdfaid:part>2" in pdf
    name = [letter for letter in letters(pdf) if is_arabic(letter)]
    height = name[0].bottom
    digits = [letter for letter in letters(pdf) if letter.text.isdigit() and abs(letter.bottom - height) < 8]
    assert digits
    assert min(digit.left for digit in digits) > max(letter.right for letter in name)


def test_paragraphs_of_arabic_begin_at_the_right() -> None:
    pdf = report_paper(said={"findings": "تم فحص الغلاية.\nRien d'autre."})
    written = [letter for letter in letters(pdf) if is_arabic(letter)]
    page = 595
    assert max(letter.right for letter in written) > page - 60, "20 mm from the edge"
    assert min(letter.left for letter in written) > page / 2
    assert "Rien d'autre." in text_of(pdf)


@pytest.mark.parametrize("long", ["x" * 140, "pression de service " * 7])
def test_a_long_reading_is_not_printed_over_its_name(long: str) -> None:
    recorded = work("V-1").model_copy(update={"readings": {"Manomètre à eau": long}})
    pdf = report_paper(work=recorded)
    with pypdfium2.PdfDocument(pdf) as read:
        texts = read[0].get_textpage()
        start = texts.get_text_range().index("Manomètre")
        name = [texts.get_charbox(number) for number in range(start, start + len("Manomètre à eau"))]
    right, bottom = max(box[2] for box in name), min(box[1] for box in name)
    beside = [
        one for one in letters(pdf) if abs(one.bottom - bottom) < 3 and one.text.strip() and one.left > 70
    ]
    ours = {round(box[0], 2) for box in name}
    assert [one for one in beside if round(one.left, 2) not in ours and one.left < right] == []


def test_a_report_says_what_was_done_built_in_and_driven() -> None:
    recorded = work("V-1").model_copy(
        update={"failed_serial": "OLD-1", "replacement_serial": "NEW-2", "travel_km": Decimal("12.5")}
    )
    read = text_of(report_paper(work=recorded, tasks=TASKS))
    for said in ("Vérifier", "trappe condamnée", "non fait", "Conseiller", "OLD-1", "NEW-2", "12,5"):
        assert said in read, said


@pytest.mark.parametrize("refused_at", [None, AT])
def test_a_report_that_was_not_signed_says_when_that_was_or_when_it_was_submitted(
    refused_at: datetime | None,
) -> None:
    said = {"signature_refused": "elle est partie"}
    read = text_of(report_paper(said=said, submitted_at=AT, refused_at=refused_at)).replace("\u00a0", " ")
    when = "5 mars 2026 à 10 h 45" if refused_at else "rapport remis le 5 mars 2026 à 10 h 45"
    assert f"Non signé par le client, {when}" in read
    assert "elle est partie" in read


@pytest.mark.parametrize(
    ("ppm", "french", "english"),
    [(9, None, None), (22, "anormal", "abnormal"), (120, "danger grave", "immediate danger")],
)
def test_papers_say_what_a_reading_means(ppm: int, french: str | None, english: str | None) -> None:
    recorded = work("V-1").model_copy(update={"co_ppm": ppm})
    words: tuple[tuple[Locale, str | None], ...] = (("fr", french), ("en", english))
    for locale, word in words:
        on_report = text_of(report_paper(locale, work=recorded, air=air_of(recorded, AT)))
        on_attestation = text_of(attestation_paper(locale, co_ppm=ppm))
        for read in (on_report, on_attestation):
            assert f"{ppm} ppm" in read.replace("\u00a0", " ")
            assert (word is None) is not any(each in read for each in ("anormal", "abnormal", "danger"))
            assert word is None or word in read


def test_an_attestation_names_its_visit_and_who_made_it() -> None:
    read = text_of(attestation_paper())
    assert "INT-2026-000007" in read
    assert "Établie par Karim Haddad, pour " + billing().seller.name in read
    assert "Signature et cachet" in read


def test_an_attestation_from_before_names_no_visit() -> None:
    assert "Intervention" not in text_of(attestation_paper(visit=None))


def test_the_reason_of_a_task_stands_with_it() -> None:
    """Nearer to the task that was not done than to the next one."""
    placed = letters(attestation_paper())
    text = "".join(one.text for one in placed)
    task, reason, following = (
        placed[text.index(said)].bottom for said in ("Vérifier", "trappe condamnée", "Conseiller")
    )
    assert task - reason < reason - following


def test_a_heat_pump_has_no_emissions_and_runs_on_electricity() -> None:
    tasks = tasks_for(Appliance(product_id=None, kind="heat_pump", burns=False), "maintenance")
    assert not [task.code for task in tasks if "emissions" in task.text.en or "émissions" in task.text.fr]
    read = text_of(attestation_paper(kind="heat_pump", fuel="heat_pump", tasks=tasks, co_ppm=None))
    assert "thermodynamique" not in read
    assert "électricité" in read
