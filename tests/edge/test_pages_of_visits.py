"""The page on which a client confirms, moves or cancels a visit: by form, and in a browser by keyboard."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from chromium import Browser
from pages import opened, sent, unharmed
from recipes import Scene
from recipes.others import visit_linked
from stories import Json, done
from system import door

FRENCH = {"Accept-Language": "fr"}


@pytest.fixture(scope="module")
async def http(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    async with door(scene.system.settings.model_copy(update={"rate_limits_scale": 0})) as http:
        yield http


async def now(scene: Scene, visit: Json) -> Json:
    found: Json = done(await scene.near.client.get(f"/appointments/{visit['id']}"))
    return found


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


async def test_without_its_link_nobody_reads_the_visit(scene: Scene, http: httpx.AsyncClient) -> None:
    visit = await visit_linked(scene, scene.near)
    for token in (visit["token"][:-4], "AAAA" * 16, "x"):
        refusal = await http.get("/visit", params={"token": token, "lang": "fr"})
        assert refusal.status_code == 410
        assert "Ce lien n’est plus valable" in refusal.text


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
