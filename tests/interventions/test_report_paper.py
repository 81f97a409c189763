"""The paper of a report: printed as it was submitted, kept, in its client's language and in the scripts of names."""

import re
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from typing import Any
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]
import pytest
import world
from given_billing import client
from given_interventions import (
    NOW,
    PRODUCT,
    RECLAMATION,
    REPORT,
    SLOT,
    VISIT,
    product,
    report,
    visit,
    work,
)
from given_report_papers import DONE_AT, PLACE, SIGNED_AT, paper, view
from papers import text_of
from pictures import picture
from PIL import Image
from sqlalchemy import update

from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import (
    ReportChanged,
    ReportPhoto,
    ReportSubmitted,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.visit_photo import AddVisitPhotos
from sav_interventions.model import Report, Technician, VisitPhoto
from sav_interventions.report_pdf import PRINTED, ReportPaper, for_print, in_print_size, report_pdf

# What typst would understand, were it not data.
SPECIAL = '#panic("x") $x^2$ *gras* _it_ @ref <a> \\ "q" \'s\' [c] {d} `raw` // c /* c */ ~ -- = + - 1.'
DRAWN = StoredFile(sha256="a" * 64, media_type="image/png", size=9, name="signature.png")
submit = SubmitReport(intervention_id=VISIT)


def photo(number: int) -> tuple[VisitPhoto, ReportPhoto, bytes]:
    """One that is kept, as the report names it, and its bytes."""
    content = picture(size=(640 + number, 480))
    file = StoredFile(
        sha256=f"{number:064x}", media_type="image/jpeg", size=len(content), name=f"photo-{number}.jpg"
    )
    id = UUID(int=600 + number)
    row = VisitPhoto(
        id=id,
        intervention_id=VISIT,
        reclamation_id=RECLAMATION,
        file=file,
        by=world.karim.role,
        shown=False,
    )
    return row, ReportPhoto(photo_id=id, file=file), content


def printed(locale: str = "fr", pictures: dict[UUID, bytes] | None = None, **fields: Any) -> str:
    """What a reader finds on the paper, with plain spaces."""
    shown = paper(view(**fields.pop("report", {})), locale=locale, **fields)
    return text_of(report_pdf(shown, pictures or {})).replace("\u00a0", " ").replace("\u202f", " ")


async def ready(stage: Stage, *photos: ReportPhoto, **fields: Any) -> None:
    """A completed visit with a report that may be submitted; its client, its product and its technician are known."""
    await stage.knows(client(**fields), product())
    card = Technician(id=world.karim.id, name="Karim Haddad", account_active=True)
    done = visit("completed", product_id=PRODUCT, place=PLACE, work=work("V-1"), done_at=DONE_AT, slot=SLOT)
    unsigned = report(
        "signature_refused", signed_by=None, signature=None, signed_at=None, photos=list(photos)
    )
    await stage.given(card, done, unsigned)


async def test_a_submitted_report_is_printed_and_kept(stage: Stage) -> None:
    row, named, content = photo(1)
    file = await Files(stage.settings.files_url).put(content, "image/jpeg", "photo.jpg")
    await ready(stage, ReportPhoto(photo_id=named.photo_id, file=file))
    row.file = file
    await stage.given(row)
    submitted = (await stage.when(submit, by=world.karim)).only(ReportSubmitted).state
    assert submitted.document is None
    assert submitted.submitted_at
    kept = (await stage.runs_effects()).only(ReportChanged).state
    assert kept.document
    assert (kept.document.media_type, kept.document.name) == (
        "application/pdf",
        "Rapport REC-2026-000100.pdf",
    )
    pdf = await Files(stage.settings.files_url).get(kept.document)
    read = text_of(pdf)
    for said in (
        "vanne bloquée",
        "vanne remplacée",
        "Karim Haddad",
        "Léa Martin",
        "Photo 1",
        "elle est partie",
    ):
        assert said in read, said
    assert await stage.waiting() == []
    validated = (await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)).events[0].state
    assert validated.document == kept.document


async def test_the_report_of_a_visit_by_hand_names_its_reference_and_its_article(stage: Stage) -> None:
    await stage.knows(client())
    by_hand = {"reclamation_id": None, "reclamation_reference": None, "by_hand": True}
    named = {"reference": "INT-2026-000007", "article": "Ballon Azur 200"}
    await stage.given(
        Technician(id=world.karim.id, name="Karim Haddad", account_active=True),
        visit("completed", purpose="maintenance", work=work("V-1"), done_at=DONE_AT, **by_hand, **named),
        report("signature_refused", reclamation_id=None),
    )
    await stage.when(submit, by=world.karim)
    kept = (await stage.runs_effects()).only(ReportChanged).state
    assert kept.document
    assert kept.document.name == "Rapport INT-2026-000007.pdf"
    read = text_of(await Files(stage.settings.files_url).get(kept.document))
    assert [word for word in named.values() if word not in read] == []


async def test_a_report_is_printed_once(stage: Stage) -> None:
    await ready(stage)
    await stage.when(submit, by=world.karim)
    (await stage.runs_effects()).only(ReportChanged)
    await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)
    assert (await stage.runs_effects()).events == []


async def test_printing_waits_for_the_client(stage: Stage) -> None:
    card = Technician(id=world.karim.id, name="Karim Haddad", account_active=True)
    await stage.given(card, visit("completed"), report("signature_refused"))
    await stage.when(submit, by=world.karim)
    assert (await stage.runs_effects()).events == []
    [waiting] = await stage.waiting()
    assert (waiting.function, waiting.id) == ("print_report", REPORT)
    await stage.knows(client(locale="en"))
    kept = (await stage.runs_effects()).only(ReportChanged).state
    assert kept.document
    assert "Visit report" in text_of(await Files(stage.settings.files_url).get(kept.document))


async def test_what_is_sent_back_and_written_again_is_printed_again(stage: Stage) -> None:
    await ready(stage)
    await stage.when(submit, by=world.karim)
    first = (await stage.runs_effects()).only(ReportChanged).state.document
    await stage.when(SendBackReport(intervention_id=VISIT, reason="trop court"), by=world.marie)
    longer = WriteReport(intervention_id=VISIT, findings="vanne bloquée", work_done="vanne et joint changés")
    written = (await stage.when(longer, by=world.karim)).only(ReportChanged).state
    assert (written.document, written.submitted_at) == (None, None)
    await stage.when(SignReport(intervention_id=VISIT, refused="elle est partie"), by=world.karim)
    await stage.when(submit, by=world.karim)
    second = (await stage.runs_effects()).only(ReportChanged).state.document
    assert first
    assert second
    assert first.sha256 != second.sha256
    assert "vanne et joint changés" in text_of(await Files(stage.settings.files_url).get(second))


async def test_a_paper_of_what_was_said_before_is_not_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is submitted again while the paper of its first submission is being printed."""
    await ready(stage)
    await stage.when(submit, by=world.karim)

    def slow(what: ReportPaper, pictures: Any) -> bytes:
        assert what.report.submitted_at
        return report_pdf(what, pictures)

    monkeypatch.setattr("sav_interventions.effects.report_pdf", slow)
    later = update(Report).values(submitted_at=NOW + timedelta(days=400))
    put = Files.put

    async def meanwhile(self: Files, content: bytes, media_type: str, name: str) -> StoredFile:
        await stage.database.pool.execute(str(later.compile(compile_kwargs={"literal_binds": True})))
        return await put(self, content, media_type, name)

    monkeypatch.setattr(Files, "put", meanwhile)
    assert (await stage.runs_effects()).events == []


def test_everything_that_was_recorded_stands_on_it_in_french() -> None:
    signed = {"edition": 2, "recommendations": "purger\nchaque automne", "signed_by": "Léa Martin"}
    read = printed(report=signed)
    for said in (
        "Rapport d’intervention",
        "REC-2026-000100 · édition 2",
        "Dépannage",
        "3 mars 2026 à 10 h 30",
        "Karim Haddad",
        "Chaudière murale Lumea 24",
        "LM-7",
        "Travaux terminés",
        "Léa Martin",
        "3 rue des Lilas",
        "69003 Lyon",
        "purger chaque automne",
        "1 h 30 min",
        "Vanne gaz · VAN-22 · n° de série V-1",
        "pression",
        "1,5 bar",
    ):
        assert said in read, said
    assert "Code 42B" not in read
    assert "84.90" not in read


def test_it_is_in_the_clients_language() -> None:
    read = printed("en", status="incomplete", cause="stopped_for_safety")
    for said in (
        "Visit report",
        "Repair",
        "3 March 2026 at 10:30",
        "Work not completed",
        "stopped for safety",
    ):
        assert said in read, said
    assert "Rapport" not in read


def test_what_is_not_known_is_left_out() -> None:
    bare = printed(reference=None, place=None, product=None, serial=None, done_at=None, work=None)
    for absent in ("N° de série", "Appareil", "Réalisée le", "Temps passé", "Relevés", "REC-"):
        assert absent not in bare, absent


def test_it_says_who_signed_when_or_why_nobody_did() -> None:
    signed = {"signature": DRAWN, "signed_by": "Léa Martin", "signed_at": SIGNED_AT}
    read = printed(report=signed, pictures={REPORT: picture("PNG")})
    assert "Signé par Léa Martin, 3 juillet 2026 à 11 h 45" in read
    refused = printed(report={"signature_refused": "elle est partie"})
    assert "Non signé par le client elle est partie" in refused


@pytest.mark.parametrize("size", [(960, 15), (960, 150), (300, 300), (15, 960)], ids=str)
def test_a_signature_of_any_shape_stays_on_the_page(size: tuple[int, int]) -> None:
    signed = view(signature=DRAWN, signed_by="Léa Martin", signed_at=SIGNED_AT)
    pdf = report_pdf(paper(signed), {REPORT: for_print(picture("PNG", size))})
    with pypdfium2.PdfDocument(pdf) as read:
        [drawn] = read[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        left, bottom, right, top = drawn.get_bounds()
    assert (right - left <= 227, top - bottom <= 63) == (True, True), "80 mm and 22 mm, in points"


def test_what_people_wrote_is_printed_as_they_wrote_it() -> None:
    said = {"findings": SPECIAL, "work_done": SPECIAL, "recommendations": SPECIAL}
    read = printed(client=SPECIAL, technician=SPECIAL, product=SPECIAL, report=said)
    assert read.count("$x^2$ *gras* _it_ @ref") == 6


@pytest.mark.parametrize(
    "name", ["Νίκη Παππά", "Мария Иванова", "شركة الصيانة", "王小明", "山田花子", "김민지", "דנה"]
)
def test_every_letter_of_a_name_is_in_a_font(name: str) -> None:
    """PDF/A is refused where a letter is in none; so is its text where no letter can be read out again."""
    pdf = report_pdf(paper(view(findings=name), client=name, technician=name), {})
    assert b"pdfaid:part>2" in pdf
    assert len(set(re.findall(r"\S", name)) & set(text_of(pdf))) >= len(set(name)) // 2


def test_a_picture_of_the_paper_has_the_letters(tmp_path: Any) -> None:
    """A name in a script without a font would be a row of equal boxes."""
    looks = {name: _ink(name) for name in ("王小明", "李大山", "شركة", "مصنع", "Νίκη", "Άννα")}
    assert len(set(looks.values())) == len(looks)


def _ink(name: str) -> bytes:
    """The place of the client's name, as it is printed."""
    with pypdfium2.PdfDocument(report_pdf(paper(view(), client=name), {})) as read:
        page: Image.Image = read[0].render(scale=2).to_pil()
    width, height = page.size
    return page.crop((width // 2, height // 8, width, height // 3)).tobytes()


def test_the_same_report_is_printed_the_same_and_names_itself() -> None:
    shown = paper(view())
    pdf = report_pdf(shown, {})
    assert pdf == report_pdf(shown, {})
    assert b"Rapport d" in pdf
    assert report_pdf(paper(view(), locale="en"), {}) != pdf


@pytest.mark.parametrize(
    ("size", "form", "becomes"),
    [
        ((2560, 1920), "JPEG", (960, 720)),
        ((1500, 2000), "JPEG", (720, 960)),
        ((2560, 100), "PNG", (960, 38)),
        ((300, 400), "PNG", (300, 400)),
    ],
)
def test_pictures_are_printed_as_small_jpegs(
    size: tuple[int, int], form: str, becomes: tuple[int, int]
) -> None:
    with Image.open(BytesIO(for_print(picture(form, size)))) as made:
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", becomes)
        red, blue = made.getpixel((2, 2)), made.getpixel((becomes[0] - 3, 2))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert (red[0] > 200, blue[2] > 200) == (True, True)


def test_what_is_transparent_is_printed_white() -> None:
    made = BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(made, "PNG")
    with Image.open(BytesIO(for_print(made.getvalue()))) as seen:
        assert seen.getpixel((20, 15)) == (255, 255, 255)
    assert for_print(picture(size=(300, 400))) == picture(size=(300, 400))


async def test_a_photo_is_made_ready_for_print_once_it_is_there(stage: Stage) -> None:
    files = Files(stage.settings.files_url)
    kept = await files.put(picture(size=(2000, 1001)), "image/jpeg", "a.jpg")
    await stage.given(visit("in_progress"))
    await stage.when(AddVisitPhotos(intervention_id=VISIT, photos=[kept]), by=world.karim)
    assert (await stage.runs_effects()).events == []
    assert await stage.waiting() == []
    assert await files.derived(kept, PRINTED) == for_print(picture(size=(2000, 1001)))
    await files.keep_derived(kept, PRINTED, b"kept")
    assert await in_print_size(kept, files) == b"kept"


@pytest.mark.parametrize(("photos", "pages"), [(0, 1), (1, 1), (6, 2), (12, 3)])
def test_photos_stand_two_in_a_row(photos: int, pages: int) -> None:
    several = [photo(number) for number in range(photos)]
    pdf = report_pdf(
        paper(view(photos=[named for _, named, _ in several])),
        {named.photo_id: content for _, named, content in several},
    )
    with pypdfium2.PdfDocument(pdf) as read:
        assert len(read) == pages


def test_a_long_report_has_several_pages() -> None:
    """Each says which paper it belongs to."""
    pdf = report_pdf(paper(view(findings="mot " * 900, work_done="x" * 4000)), {})
    with pypdfium2.PdfDocument(pdf) as read:
        pages = [" ".join(page.get_textpage().get_text_range().split()) for page in read]
    for number, page in enumerate(pages, 1):
        assert page.endswith(f"Rapport d’intervention REC-2026-000100 · {number} / 2")
    assert len(pages) == 2


async def test_a_report_from_before_there_were_papers_is_printed_too(stage: Stage) -> None:
    """By what the migration leaves behind."""
    migration = import_module("sav_interventions.migrations.0012_report_papers")
    await ready(stage)
    await stage.when(submit, by=world.karim)
    await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)
    await stage.database.pool.execute("DELETE FROM task")
    await stage.database.pool.execute(migration.PRINT)
    printed = (await stage.runs_effects()).only(ReportChanged).state
    assert printed.status == "validated"
    assert printed.document
