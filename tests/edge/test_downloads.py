"""Files that go out: to those who see the record, as they were kept, and harmless in a browser."""

from email.message import Message
from email.utils import collapse_rfc2231_value
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import world
from given_archive import JPEG, Archive
from given_views import NOW, a
from hypothesis import example, given
from hypothesis import strategies as st
from papers import PDF
from pictures import picture
from stories import refused, wrong_fields

from sav_chassis.errors import NotFound
from sav_chassis.settings import Settings
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.files import StoredFile
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.closing import ClosingView
from sav_contracts.interventions.credit_note import CreditNoteView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, FileRow
from sav_edge import downloads


async def test_a_picture_is_served_as_it_was_kept_and_can_do_no_harm(archive: Archive) -> None:
    article = a(ArticleView, image=await archive.jpeg())
    await archive.tell(article)
    answer = await archive.get(world.lea, f"/articles/{article.id}/image")
    assert (answer.status_code, answer.content) == (200, JPEG)
    headers = answer.headers
    assert (headers["content-type"], headers["content-length"]) == ("image/jpeg", str(len(JPEG)))
    shown = "inline; filename=\"fuite e.jpg\"; filename*=UTF-8''fuite%20%C3%A9.jpg"
    assert headers["content-disposition"] == shown
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["cache-control"] == "private, max-age=300"
    assert article.image
    assert headers["etag"] == f'"{article.image.sha256}"'
    assert headers["x-request-id"]


async def test_who_holds_the_file_already_is_told_so(archive: Archive) -> None:
    article = a(ArticleView, image=await archive.jpeg())
    await archive.tell(article)
    path = f"/articles/{article.id}/image"
    tag = (await archive.get(world.lea, path)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = await archive.get(world.lea, path, If_None_Match=known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for other in ('"x"', tag.strip('"'), ""):
        assert (await archive.get(world.lea, path, If_None_Match=other)).status_code == 200


async def test_nobody_holds_what_they_may_not_see(archive: Archive) -> None:
    product = a(ProductView, proof=await archive.jpeg())
    await archive.tell(product)
    path = f"/products/{product.id}/proof"
    assert (await archive.get(world.lea, path)).content == JPEG
    assert (await archive.get(world.marie, path)).content == JPEG
    for stranger in (world.paul, world.sofia):
        refused(await archive.get(stranger, path), 404, "not_found")
        refused(await archive.get(stranger, path, If_None_Match="*"), 404, "not_found")
    refused(await archive.http.get(f"/api{path}"), 401, "not_signed_in")


async def test_a_photo_is_found_under_its_own_reclamation_only(archive: Archive) -> None:
    claim, other = a(ReclamationView), a(ReclamationView)
    shot = a(PhotoView, reclamation_id=claim.id, file=await archive.jpeg())
    await archive.tell(claim, other, shot)
    assert (await archive.get(world.lea, f"/reclamations/{claim.id}/photos/{shot.id}")).content == JPEG
    refused(await archive.get(world.lea, f"/reclamations/{other.id}/photos/{shot.id}"), 404, "not_found")
    refused(await archive.get(world.paul, f"/reclamations/{claim.id}/photos/{shot.id}"), 404, "not_found")


async def test_every_paper_is_to_be_saved_and_every_picture_to_be_shown(archive: Archive) -> None:
    rows = [row for row in SURFACE if isinstance(row, FileRow)]
    for content, media_type, kind in ((PDF, "application/pdf", "attachment"), (JPEG, "image/jpeg", "inline")):
        file = await archive.files.put(content, media_type, "a")
        for row in rows:
            told = downloads.disposition(downloads.file_of(row, {row.file: file.model_dump()}))
            assert told.partition(";")[0] == kind, row.route
    invoice = await archive.invoice(
        number="F-1", status="issued", document=await archive.files.put(PDF, "application/pdf", "F-1.pdf")
    )
    product = a(ProductView, proof=await archive.files.put(PDF, "application/pdf", "reçu.pdf"))
    await archive.tell(product)
    for path, name in (
        (f"/invoices/{invoice.id}.pdf", "F-1.pdf"),
        (f"/products/{product.id}/proof", "recu.pdf"),
    ):
        told = (await archive.get(world.lea, path)).headers["content-disposition"]
        assert told.startswith(f'attachment; filename="{name}"; ')


@given(st.text(min_size=1, max_size=200))
@example('a"; filename="b.exe')
@example("a\\")
@example("a%22; b.pdf")
@example("a\r\nSet-Cookie: b")
@example("reçu n° 1 ; 50 %.pdf")
@example("\u202efdp.exe")
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    """Read by a parser of another protocol: Python's of mail headers, which knows the same grammar (RFC 2231)."""
    file = StoredFile.model_construct(sha256="a" * 64, media_type="application/pdf", size=1, name=name)
    told = downloads.disposition(file)
    assert told.isascii()
    assert told.isprintable()
    read = Message()
    read["Content-Disposition"] = told
    kind, (_, plain), whole = read.get_params(failobj=[], header="Content-Disposition")
    assert kind == ("attachment", "")
    assert told.startswith(f'attachment; filename="{plain}"; ')
    assert whole[0] == "filename"
    assert collapse_rfc2231_value(whole[1]) == name


async def test_an_invoice_and_its_document_share_a_path(archive: Archive) -> None:
    paper = await archive.files.put(PDF, "application/pdf", "F-1.pdf")
    invoice = await archive.invoice(number="F-1", status="issued", document=paper)
    document = await archive.get(world.lea, f"/invoices/{invoice.id}.pdf")
    assert (document.content, document.headers["content-type"]) == (PDF, "application/pdf")
    assert (await archive.get(world.lea, f"/invoices/{invoice.id}")).json()["number"] == "F-1"
    assert wrong_fields(await archive.get(world.lea, "/invoices/x.pdf")) == {"invoice_id"}
    assert wrong_fields(await archive.get(world.lea, f"/invoices/{invoice.id}.pdf.pdf")) == {"invoice_id"}
    assert wrong_fields(await archive.get(world.lea, f"/invoices/{invoice.id}.pdf?a=b")) == {"a"}
    answer = await archive.http.patch(f"/api/invoices/{invoice.id}.pdf")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_a_document_that_is_still_being_made_is_not_missing(archive: Archive) -> None:
    invoice = await archive.invoice(number="F-2", status="issued", document=None)
    for who in (world.lea, world.marie):
        answer = await archive.get(who, f"/invoices/{invoice.id}.pdf")
        refused(answer, 503, "not_yet_known")
        assert answer.headers["retry-after"] == "1"
    refused(await archive.get(world.paul, f"/invoices/{invoice.id}.pdf"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/estimates/{}.pdf", a(EstimateView, status="sent", sent_at=NOW, document=None)),
        ("/credit-notes/{}.pdf", a(CreditNoteView, document=None)),
        ("/closings/{}/archive", a(ClosingView, archive=None)),
    ],
)
async def test_whatever_is_printed_is_asked_for_again_while_it_is_being_made(
    archive: Archive, path: str, view: View
) -> None:
    await archive.tell(view)
    answer = await archive.get(world.marie, path.format(view.id))
    refused(answer, 503, "not_yet_known")
    assert answer.headers["retry-after"] == "1"


async def test_the_draft_of_an_estimate_has_no_paper(archive: Archive) -> None:
    draft = a(EstimateView, status="draft", sent_at=None, document=None)
    await archive.tell(draft)
    answer = await archive.get(world.marie, f"/estimates/{draft.id}.pdf")
    refused(answer, 404, "not_found")
    assert answer.json()["detail"] == "This estimate has no document: it is made when it is validated"


def test_a_file_that_is_not_there_names_its_kind_as_people_do() -> None:
    for row in SURFACE:
        if isinstance(row, FileRow):
            with pytest.raises(NotFound) as refusal:
                downloads.file_of(row, {})
            called, problem = label(row.message.kind()), refusal.value.problem
            assert called.en in problem.detail
            assert called.fr in problem.in_french().detail


def test_every_paper_that_is_made_says_since_when() -> None:
    made = {
        row.message for row in SURFACE if isinstance(row, FileRow) and row.file in {"document", "archive"}
    }
    assert made == set(downloads.PRINTED)


async def test_a_report_has_its_paper_once_it_is_submitted_and_a_client_once_it_is_validated(
    archive: Archive,
) -> None:
    visit = a(InterventionView)
    report = a(ReportView, intervention_id=visit.id)
    paper = await archive.files.put(PDF, "application/pdf", "Rapport.pdf")
    paths = (f"/interventions/{visit.id}/report.pdf", f"/interventions/{visit.id}/reports/{report.id}.pdf")

    async def becomes(version: int, **fields: object) -> None:
        await archive.tell(report.model_copy(update={"version": version, **fields}))

    await archive.tell(visit, report)
    for path in paths:
        refused(await archive.get(world.marie, path), 404, "not_found")
    await becomes(2, status="submitted", submitted_at=NOW)
    for path in paths:
        refused(await archive.get(world.marie, path), 503, "not_yet_known")
    await becomes(3, status="submitted", submitted_at=NOW, document=paper)
    for path in paths:
        assert (await archive.get(world.karim, path)).content == PDF
        for other in (world.lea, world.sofia):
            refused(await archive.get(other, path), 404, "not_found")
    await becomes(4, status="validated", submitted_at=NOW, document=paper)
    for path in paths:
        assert (await archive.get(world.lea, path)).content == PDF
        refused(await archive.get(world.paul, path), 404, "not_found")


@pytest.mark.parametrize("status", ["draft", "discarded"])
async def test_what_was_never_issued_has_no_document(archive: Archive, status: str) -> None:
    invoice = await archive.invoice(status=status)
    problem = refused(await archive.get(world.marie, f"/invoices/{invoice.id}.pdf"), 404, "not_found")
    assert "no document" in problem["detail"]
    refused(await archive.get(world.lea, f"/invoices/{invoice.id}.pdf"), 404, "not_found")


async def test_a_record_without_a_file_says_so(archive: Archive) -> None:
    article = a(ArticleView)
    await archive.tell(article)
    problem = refused(await archive.get(world.lea, f"/articles/{article.id}/image"), 404, "not_found")
    assert "no file" in problem["detail"]
    refused(await archive.get(world.lea, f"/articles/{uuid4()}/image"), 404, "not_found")


async def test_a_file_that_the_store_lost_is_a_fault_of_ours(archive: Archive, settings: Settings) -> None:
    file = await archive.files.put(picture(size=(17, 19)), "image/jpeg", "a.jpg")
    article = a(ArticleView, image=file)
    await archive.tell(article)
    folder = Path(httpx.URL(settings.files_url).path)
    (folder / file.sha256[:2] / file.sha256[2:]).unlink()
    archive.http.event_hooks = {}  # this 500 is meant
    refused(await archive.get(world.lea, f"/articles/{article.id}/image"), 500, "internal")


@pytest.mark.parametrize(
    ("view", "path", "en", "fr"),
    [
        (ReportView, "report.pdf", "submitted", "remise"),
        (AttestationView, "attestation.pdf", "validated", "validation"),
        (InvoiceView, "", "issued", "émission"),
    ],
)
def test_of_what_is_not_printed_yet_it_is_said_when(view: type[View], path: str, en: str, fr: str) -> None:
    [row] = [
        row
        for row in SURFACE
        if isinstance(row, FileRow)
        and row.message is view
        and row.path.endswith(path)
        and "reports" not in row.path
    ]
    with pytest.raises(NotFound) as refused:
        downloads.file_of(row, {"status": "draft"})
    assert en in refused.value.text().en
    assert fr in refused.value.text().fr
