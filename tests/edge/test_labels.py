"""The label of a unit, read as a phone reads it."""

import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
import world
from given_archive import Archive, whole
from given_views import LATER, NOW, a
from papers import PRINTED, codes_on, picture_of, text_of
from stories import refused, wrong_fields
from system import door

from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.surface import SURFACE, PaperRow
from sav_edge import papers, print_paper
from sav_edge.app import application
from sav_edge.papers import PAPERS
from sav_edge.print_paper import printed
from sav_edge.read_model import ReadModel

SITE = "https://sav.example.com"
FACTS = {
    "article": "Chaudière murale Lumea 24",
    "serial": "LUM24-0007431",
    "reference": "LUM-24-C",
    "firm": "Confort SAV",
    "link": f"{SITE}/report?product={uuid4()}",
    "locale": "fr",
    "made": 1_700_000_000,
}
# What typst would understand, were it not data.
SPECIAL = '#panic("x") $x^2$ *gras* @a <b> \\ "q" [c] {d} `e` // f'


def label(**facts: Any) -> bytes:
    return printed("product_label", FACTS | facts)


def code_on(pdf: bytes) -> str:
    [code] = codes_on(picture_of(pdf))
    return str(code.text)


def test_every_paper_of_the_surface_can_be_printed() -> None:
    assert {row.paper for row in SURFACE if isinstance(row, PaperRow)} == PAPERS.keys()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("fr", ["En cas de panne, scannez ce code", "Réf. LUM-24-C", "N° de série LUM24-0007431"]),
        ("en", ["If it breaks down, scan this code", "Ref. LUM-24-C", "Serial no. LUM24-0007431"]),
    ],
)
def test_a_label_says_what_it_is_stuck_on_and_leads_to_the_report_of_a_fault(
    locale: str, words: list[str]
) -> None:
    pdf = label(locale=locale)
    text = text_of(pdf)
    for said in (*words, "Chaudière murale Lumea 24", "Confort SAV"):
        assert said in text
    assert code_on(pdf) == FACTS["link"]


def test_a_label_is_as_large_as_its_printer_takes_and_its_code_is_read_when_it_is_dirty() -> None:
    picture = picture_of(label())
    assert [round(side * 25.4 / PRINTED) for side in picture.size] == [62, 40]
    [code] = codes_on(picture)
    assert code.ec_level == "Q"
    corner, other = code.position.top_left, code.position.top_right
    # Version 7: 45 modules.
    module = (other.x - corner.x) * 25.4 / PRINTED / 45
    assert 0.4 < module < 0.6
    # Four modules around it are white.
    quiet = round(4 * module * PRINTED / 25.4) - 2
    for x, y in ((corner.x - quiet, corner.y), (corner.x, corner.y - quiet), (other.x + quiet, other.y)):
        assert picture.getpixel((x, y)) == (255, 255, 255)
    # A blot on a tenth of it.
    side = other.x - corner.x
    picture.paste(
        "black",
        (corner.x + side // 3, corner.y + side // 3, corner.x + side * 5 // 8, corner.y + side * 5 // 8),
    )
    [read] = codes_on(picture)
    assert read.text == FACTS["link"]


@pytest.mark.parametrize("length", [24, 60, 120])
def test_the_modules_of_a_long_address_are_printed_large_enough(length: int) -> None:
    link = f"https://{'s' * length}.example.com/report?product={uuid4()}"
    [modules] = set(re.findall(r'viewBox="0 0 (\d+) \d+"', print_paper.qr(link)))
    assert 28 / int(modules) >= 0.4
    assert code_on(label(link=link)) == link


@pytest.mark.parametrize(
    "name",
    [
        "سخان ماء يعمل بالغاز",
        "Θερμαντήρας νερού",
        "Котёл настенный",
        "Nước nóng",
        SPECIAL,
        "Filtre n° 5 – ½ ”",
    ],
)
def test_a_name_in_another_script_is_printed_as_it_was_written(name: str) -> None:
    pdf = label(article=name)
    assert name in text_of(pdf)
    assert b"pdfaid:part>2" in pdf
    assert code_on(pdf) == FACTS["link"]


@pytest.mark.parametrize(
    "name", ["海尔空气能热泵热水器", "給湯器 エコキュート", "😀", "\u202e", "पानी का हीटर", "\U0010fffd"]
)
def test_a_name_that_no_font_of_ours_has_still_makes_a_label(name: str) -> None:
    """Its letters are the machine's, where it has any."""
    pdf = label(article=name, firm=name)
    assert "LUM24-0007431" in text_of(pdf)
    assert code_on(pdf) == FACTS["link"]


@pytest.mark.parametrize("letter", ["x", "W ", "漢", "ش", "chaudière "])
def test_a_long_name_is_shortened_and_pushes_nothing_off_the_label(letter: str) -> None:
    longest = (letter * 200)[:200]
    pdf = label(article=longest, firm=longest, reference="R" * 40, serial="W" * 60)
    text = text_of(pdf)
    assert text.count("…") + text.count("...") >= 2
    # The serial number is whole, and so is the sentence beneath it, without anything over it.
    assert "W" * 60 in text.replace(" ", "")
    assert "En cas de panne, scannez ce code" in text
    assert code_on(pdf) == FACTS["link"]
    # Half of the margin, since boxes in place of letters are wider than they say.
    margin = round(0.8 / 25.4 * PRINTED)
    picture = picture_of(pdf)
    for edge_of in (
        (0, 0, picture.width, margin),
        (0, picture.height - margin, *picture.size),
        (picture.width - margin, 0, *picture.size),
    ):
        assert picture.crop(edge_of).getcolors() == [
            (picture.crop(edge_of).width * picture.crop(edge_of).height, (255, 255, 255))
        ]


def test_a_label_is_the_same_each_time_it_is_printed() -> None:
    assert label() == label()
    assert label(locale="en") != label()
    assert "Étiquette LUM24-0007431".encode() in label() or "Étiquette".encode("utf-16-be") in label()


class Shop(Archive):
    """An edge with a frontend, and units told to it."""

    async def unit(self, **fields: Any) -> ProductView:
        article = a(ArticleView, reference=f"LUM-{str(uuid4())[:8]}", name="Autre nom")
        unit = a(ProductView, article_id=article.id, article="Chaudière Lumea", serial="S-77", **fields)
        await self.tell(article, unit)
        self.reference = article.reference
        return unit


@pytest.fixture
async def shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    seller = '{"name": "Confort SAV", "address": "Lyon", "registration": "RCS 1", "vat_number": "FR1"}'
    monkeypatch.setenv("SAV_SELLER", seller)
    own = settings.model_copy(update={"frontend_url": f"{SITE}/app/"})
    await whole(own)
    async with door(own) as http:
        yield Shop(own, http)


async def test_a_unit_has_a_label_with_its_articles_reference(shop: Shop) -> None:
    unit = await shop.unit()
    answer = await shop.get(world.lea, f"/products/{unit.id}/label", Accept_Language="fr")
    assert answer.status_code == 200
    text = text_of(answer.content)
    for said in ("Confort SAV", "Chaudière Lumea", f"Réf. {shop.reference}", "N° de série S-77"):
        assert said in text
    assert code_on(answer.content) == f"{SITE}/app/report?product={unit.id}"
    headers = answer.headers
    assert (headers["content-type"], headers["content-language"]) == ("application/pdf", "fr")
    assert headers["content-disposition"] == (
        "attachment; filename=\"etiquette S-77.pdf\"; filename*=UTF-8''%C3%A9tiquette%20S-77.pdf"
    )
    assert headers["cache-control"] == "private, no-cache"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "Accept-Language" in headers["vary"]


async def test_a_label_is_in_the_language_of_who_prints_it(shop: Shop) -> None:
    unit = await shop.unit()
    path = f"/products/{unit.id}/label"
    english = await shop.get(world.marie, path, Accept_Language="en-GB,fr;q=0.5")
    assert "If it breaks down" in text_of(english.content)
    assert english.headers["content-language"] == "en"
    french = await shop.get(world.marie, path, Accept_Language="fr")
    assert french.headers["etag"] != english.headers["etag"]


async def test_who_may_see_the_unit_prints_its_label(shop: Shop) -> None:
    unit = await shop.unit()
    path = f"/products/{unit.id}/label"
    for who in (world.lea, world.marie, world.alex):
        assert (await shop.get(who, path)).status_code == 200
    strangers: list[Actor] = [world.paul, world.karim, world.sofia]
    for who in strangers:
        refused(await shop.get(who, path), 404, "not_found")
        refused(await shop.get(who, path, If_None_Match="*"), 404, "not_found")
    refused(await shop.http.get(f"/api{path}"), 401, "not_signed_in")
    # The technician of an open réclamation about it, as long as it is open.
    claim = a(ReclamationView, technician_id=world.karim.id, product_id=unit.id, status="assigned")
    await shop.tell(claim)
    assert (await shop.get(world.karim, path)).status_code == 200
    refused(await shop.get(world.sofia, path), 404, "not_found")
    await shop.tell(claim.model_copy(update={"version": 2, "status": "closed", "updated_at": LATER}))
    refused(await shop.get(world.karim, path), 404, "not_found")
    refused(await shop.get(world.alex, f"/products/{uuid4()}/label"), 404, "not_found")


async def test_a_unit_of_a_retired_article_has_a_label(shop: Shop) -> None:
    unit = await shop.unit()
    [retired] = [a(ArticleView, id=unit.article_id, status="retired", reference="OLD-1", version=2)]
    await shop.tell(retired)
    answer = await shop.get(world.lea, f"/products/{unit.id}/label")
    assert "Ref. OLD-1" in text_of(answer.content)


async def test_who_holds_the_label_already_is_told_so_until_something_on_it_changes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = await shop.unit()
    path = f"/products/{unit.id}/label"
    first = await shop.get(world.lea, path)
    with monkeypatch.context() as patch:
        patch.setattr(papers, "PROGRAM", (sys.executable, "-c", "raise SystemExit(1)"))
        for who in (world.lea, world.marie):
            again = await shop.get(who, path, If_None_Match=first.headers["etag"])
            assert (again.status_code, again.content) == (304, b"")
    # What is not on it makes no other label.
    moved = unit.model_copy(
        update={"version": 2, "updated_at": NOW + timedelta(days=1), "proof_state": "submitted"}
    )
    await shop.tell(moved)
    other = await shop.get(world.lea, path)
    assert (other.headers["etag"], other.content) == (first.headers["etag"], first.content)
    await shop.tell(moved.model_copy(update={"version": 3, "serial": "S-78"}))
    changed = await shop.get(world.lea, path, If_None_Match=first.headers["etag"])
    assert (changed.status_code, changed.headers["etag"] == first.headers["etag"]) == (200, False)


async def test_a_label_takes_no_parameters(shop: Shop) -> None:
    unit = await shop.unit()
    assert wrong_fields(await shop.get(world.lea, f"/products/{unit.id}/label?size=small")) == {"size"}


async def test_an_article_that_is_not_known_yet_is_waited_for(shop: Shop) -> None:
    unit = a(ProductView, article_id=uuid4())
    await shop.tell(unit)
    answer = await shop.get(world.lea, f"/products/{unit.id}/label")
    refused(answer, 503, "not_yet_known")
    assert answer.headers["retry-after"]


async def test_a_machine_that_can_print_nothing_just_now_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = await shop.unit()
    monkeypatch.setattr(papers, "PROGRAM", ("/there/is/no/such/program",))
    refused(await shop.get(world.lea, f"/products/{unit.id}/label"), 503, "unavailable")


async def test_a_paper_that_cannot_be_printed_is_a_fault_of_ours(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = await shop.unit()
    monkeypatch.setattr(papers, "PROGRAM", (sys.executable, "-c", "raise SystemExit(1)"))
    shop.http.event_hooks = {}  # this 500 is meant
    refused(await shop.get(world.lea, f"/products/{unit.id}/label"), 500, "internal")


async def test_no_label_is_printed_that_would_lead_nowhere(settings: Settings) -> None:
    """In production; while one develops, it leads to the edge."""
    await whole(settings)
    production = {"environment": "production", "rate_limits_scale": 1.0}
    for update, status in ((production, 503), ({}, 200)):
        own = settings.model_copy(update=update)
        async with door(own) as http:
            shop = Shop(own, http)
            unit = await shop.unit()
            answer = await shop.get(world.lea, f"/products/{unit.id}/label")
            assert answer.status_code == status
            if status == 503:
                assert "SAV_FRONTEND_URL" in refused(answer, 503, "unavailable")["detail"]
            else:
                there = f"http://{own.edge_host}:{own.edge_port}"
                assert code_on(answer.content) == f"{there}/report?product={unit.id}"


async def test_a_firm_that_cannot_be_read_stops_the_edge(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAV_SELLER", '{"name": "Confort SAV"}')
    with pytest.raises(CannotStart, match=r"edge: SAV_SELLER: "):
        async with application(settings):
            pass


def test_without_a_frontend_a_label_leads_to_the_edges_own_page(settings: Settings) -> None:
    bare = {"frontend_url": "", "environment": "production"}
    for public, site in (("https://edge.example/", "https://edge.example"), ("", "")):
        own = settings.model_copy(update=bare | {"public_url": public})
        printer = papers.Papers(cast(ReadModel, None), own)
        if site:
            assert printer.link("report", product="1") == f"{site}/report?product=1"
        else:
            with pytest.raises(papers.NoFrontend):
                printer.link("report", product="1")


def test_a_serial_number_is_found_on_the_label_as_it_is() -> None:
    assert str(FACTS["serial"]) in text_of(label())
    for longer in ("LUM24-0007431-ABCDEF", "LUM240007431ABCDEFGHI"):
        assert f"N° de série {longer}" in text_of(label(serial=longer))
    assert "W" * 60 in text_of(label(serial="W" * 60)).replace(" ", "")
