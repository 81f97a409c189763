"""The page on which a client confirms, moves or cancels a visit: by form, and in a browser by keyboard."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import httpx
import pytest
from chromium import Browser
from pages import Page, checked, opened, read_now, sent, unharmed
from recipes import Scene
from recipes.others import visit_linked
from stories import done

from sav_contracts.calendar.visit_link import GetVisitByLink, VisitShown
from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_edge.pages.rendering import rendered
from sav_edge.pages.serving import read
from sav_edge.pages.visits import PAGES

PARIS = ZoneInfo("Europe/Paris")
FRENCH = {"Accept-Language": "fr"}
now = partial(read_now, "appointments")


async def test_a_visit_is_confirmed_by_its_link(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    for _ in range(3):
        page = await opened(http, "visit", visit["token"], headers=FRENCH)
    assert not (await now(scene, visit))["confirmed"], "looking is no answer"
    assert re.search(
        r"Pour REC-\d{4}-\d{6} .* arrive : \w+ \d+(er)? \w+ \d{4}, entre \d+ h et \d+ h", page.text
    )
    assert "Je serai là" in page.text
    after = await sent(http, page, answer="confirm")
    assert "Votre réponse est enregistrée" in after.text
    assert "Vous avez confirmé votre présence." in after.text
    assert (await now(scene, visit))["confirmed"]
    again = await opened(http, "visit", visit["token"])
    assert "You said that you will be there." in again.text
    assert "I will be there" not in again.text


async def test_a_visit_is_moved_to_another_time_by_its_link(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await opened(http, "visit", visit["token"], headers=FRENCH)
    wrong = await sent(http, page, 422, answer="move")
    assert "Indiquez à quel créneau déplacer la visite" in wrong.text
    chosen = wrong.options["start"][-1]
    after = await sent(http, wrong, answer="move", start=chosen)
    assert "Votre réponse est enregistrée" in after.text
    kept = await now(scene, visit)
    assert (kept["start"], kept["sequence"], kept["status"]) == (chosen, 1, "booked")


def local_day(start: str) -> str:
    return str(datetime.fromisoformat(start).astimezone(PARIS).date())


async def test_a_visit_is_postponed_to_a_day_that_is_asked_for(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    first = await opened(http, "visit", visit["token"])
    booked = await now(scene, visit)
    assert (first.kinds["from"], first.fields["from"]) == ("date", local_day(booked["start"]))
    day = str((datetime.now(UTC) + timedelta(days=70)).date())
    page = await seen(http, visit["token"], day)
    assert page.fields["from"] == day
    assert {local_day(start) >= day for start in page.options["start"]} == {True}
    assert any(f"from={day}" in link for link in page.links), "in the other language too"
    again = await sent(http, page, 422, answer="move")
    assert again.options == page.options
    chosen = again.options["start"][-1]
    await sent(http, again, answer="move", start=chosen)
    assert (await now(scene, visit))["start"] == chosen


async def seen(http: httpx.AsyncClient, token: str, day: str, status: int = 200) -> Page:
    answer = await http.get("/visit", params={"token": token, "from": day, "lang": "fr"})
    assert answer.status_code == status, answer.text
    return checked(answer)


@pytest.mark.parametrize(
    ("day", "says"),
    [("demain", "Une date de 1900 à 2200"), ("2199-12-31", "Au plus un an à l’avance")],
)
async def test_a_day_that_cannot_be_is_said_beside_the_times_of_before(
    scene: Scene, http: httpx.AsyncClient, day: str, says: str
) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await seen(http, visit["token"], day, 422)
    assert "Vérifiez votre saisie" in page.text
    assert says in page.text
    first = await opened(http, "visit", visit["token"])
    assert (page.options, page.fields["from"]) == (first.options, first.fields["from"])
    await sent(http, page, answer="move", start=page.options["start"][-1])
    refused = await seen(http, "AAAA" * 16, day, 410)
    assert "Ce lien n’est plus valable" in refused.text


SHOWN = {
    "reference": "REC-2026-000001",
    "technician": "Karim",
    "arrival_from": "2026-03-12T08:00:00Z",
    "arrival_until": "2026-03-12T09:00:00Z",
    "zone": "Europe/Paris",
    "status": "booked",
    "confirmed": False,
    "seen": "7f0c3a52-0000-5000-8000-000000000000",
    "unsettled": False,
    "times_token": None,
    "may_change": False,
    "times_from": None,
    "times": [],
}


def test_of_a_visit_whose_technician_left_it_says_that_we_come_back_to_its_client() -> None:
    [page] = PAGES
    read = Page(rendered(page, True, DEMONSTRATION, token="x", shown=SHOWN | {"unsettled": True}).decode())
    assert "Nous vérifions ce rendez-vous et revenons vers vous." in read.text
    assert (read.action, "Karim" in read.text, "Je serai là" in read.text) == ("", False, False)


def test_whoever_was_asked_for_another_time_reads_that_and_where_to_choose() -> None:
    [page] = PAGES
    visit = SHOWN | {"unsettled": True, "times_token": "A+B", "may_change": True, "times_from": "2026-03-05"}
    read = Page(rendered(page, True, DEMONSTRATION, token="x", shown=visit).decode())
    assert "Le technicien prévu ne peut pas venir" in read.text
    assert "/times?token=A%2BB&lang=fr" in read.links
    assert ("Karim arrive" in read.text, "Je serai là" in read.text) == (False, False)
    assert "Annuler le rendez-vous" in read.text


def test_what_a_calendar_of_an_earlier_release_does_not_say_has_its_default() -> None:
    """As while the processes are replaced one by one."""
    [page] = PAGES
    required = {name for name, field in VisitShown.model_fields.items() if field.is_required()}
    said = json.dumps({name: value for name, value in SHOWN.items() if name in required})
    shown = read(GetVisitByLink.reply_type(), said)
    assert "Je serai là" in Page(rendered(page, True, DEMONSTRATION, token="x", shown=shown).decode()).text
    assert shown == SHOWN | {"seen": None}


def test_a_time_that_could_not_be_changed_any_more_says_so() -> None:
    [page] = PAGES
    times = [
        {"start": "2026-03-05T08:00:00Z", "arrival_until": "2026-03-05T09:00:00Z", "final": True},
        {"start": "2026-03-09T08:00:00Z", "arrival_until": "2026-03-09T09:00:00Z", "final": False},
    ]
    visit = SHOWN | {"may_change": True, "times_from": "2026-03-05", "times": times}
    read = Page(rendered(page, True, DEMONSTRATION, token="x", shown=visit).decode())
    soon, later = read.text.index("jeudi 5 mars"), read.text.index("lundi 9 mars")
    assert soon < read.text.index("Une fois choisi, il ne pourra plus être déplacé ni annulé ici.") < later
    assert read.text.count("Une fois choisi") == 1


async def test_a_visit_is_cancelled_by_its_link(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await opened(http, "visit", visit["token"])
    after = await sent(http, page, answer="cancel", reason="Je <b>pars</b>")
    assert "This appointment is cancelled: nobody comes at that time." in after.text
    assert (await now(scene, visit))["status"] == "cancelled"
    again = await opened(http, "visit", visit["token"], headers=FRENCH)
    assert again.action == ""
    assert "Ce rendez-vous est annulé" in again.text
    late = await sent(http, page, 409, answer="confirm")
    assert "does not stand in the calendar any more" in late.text


@pytest.mark.parametrize("answer", ["confirm", "move", "cancel"])
async def test_what_changed_since_the_page_was_opened_is_shown_before_it_is_answered(
    scene: Scene, http: httpx.AsyncClient, answer: str
) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await opened(http, "visit", visit["token"], headers=FRENCH)
    soon, *_, later = page.options["start"]
    done(await scene.manager.post(f"/appointments/{visit['id']}/reschedule", {"start": later}))
    anew = await sent(http, page, 409, answer=answer, start=soon, reason="Jeudi est impossible")
    assert "Le rendez-vous a changé entre-temps : relisez-le avant de répondre" in anew.text
    kept = await now(scene, visit)
    assert (kept["start"], kept["status"], kept["confirmed"]) == (later, "booked", False)
    await sent(http, anew, answer=answer, start=soon)


async def test_what_somebody_has_to_decide_about_since_is_shown_as_that(
    scene: Scene, http: httpx.AsyncClient
) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await opened(http, "visit", visit["token"], headers=FRENCH)
    booked = await now(scene, visit)
    away = {"start": booked["start"], "end": booked["end"], "cause": "sick"}
    absences = f"/technicians/{booked['technician_id']}/absences"
    absence = done(await scene.manager.post(absences, away), 201)
    anew = await sent(http, page, 409, answer="confirm")
    assert "Nous vérifions ce rendez-vous et revenons vers vous." in anew.text
    assert "Je serai là" not in anew.text
    done(await scene.manager.ask("DELETE", f"{absences}/{absence['id']}"))
    assert "Je serai là" in (await opened(http, "visit", visit["token"], headers=FRENCH)).text


async def test_the_same_form_sent_twice_is_done_once(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    page = await opened(http, "visit", visit["token"])
    for _ in range(2):
        await sent(http, page, answer="move", start=page.options["start"][-1])
    assert (await now(scene, visit))["sequence"] == 1


async def test_without_its_link_nobody_reads_the_visit(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    for token, status, says in (
        (visit["token"][:-4], 400, "Ce lien est incomplet"),
        ("AAAA" * 16, 410, "Ce lien n’est plus valable"),
    ):
        refusal = await http.get("/visit", params={"token": token, "lang": "fr"})
        assert refusal.status_code == status
        assert says in refusal.text


async def test_a_visit_is_confirmed_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    visit = await visit_linked(scene, scene.near)
    tab = await chromium.tab("fr-FR")
    await tab.goes(f"{site}/visit?token={visit['token']}&lang=fr")
    named = await tab.controls()
    assert named["Je serai là"] == named["Déplacer"] == named["Annuler le rendez-vous"] == "button"
    assert [kind for name, kind in named.items() if "entre" in name] != []
    size = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    await tab.ask("Emulation.setDeviceMetricsOverride", **size)
    assert await tab.says("document.documentElement.scrollWidth") <= 320
    await tab.tab_to("answer")
    await tab.submit()
    assert "Vous avez confirmé votre présence." in await tab.text()
    assert visit["token"] not in await tab.says("location.href")
    assert (await now(scene, visit))["confirmed"]
    unharmed(tab, site, visit["token"])
