"""The small pages in a browser, by keyboard and with scripts off: what people do with them, and what they look like."""

from uuid import UUID

import httpx
import pytest
from chromium import Browser
from pages import unharmed
from recipes import Scene
from stories import done
from system import System

from sav_chassis.identity import Links
from sav_contracts.actor import Role
from sav_edge.pages import PAGES
from sav_edge.pages.page import Page

ANOTHER = "battery horse correct"


async def test_an_invitation_is_accepted_by_keyboard(system: System, site: str, chromium: Browser) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    tab = await chromium.tab("fr-FR")
    await tab.goes(f"{site}/invitation?token={link}&lang=fr")
    assert await tab.says("document.title") == "Acceptez votre invitation – SAV Démonstration SARL"
    assert await tab.says("document.documentElement.lang") == "fr"
    assert await tab.controls() == {
        "Nouveau mot de passe": "textbox",
        "Le même mot de passe, encore une fois": "textbox",
        "Enregistrer le mot de passe": "button",
        "English": "link",
    }
    await tab.type("password", ANOTHER)
    await tab.type("again", ANOTHER + "?")
    await tab.submit()
    assert "Ce n’est pas la même saisie" in await tab.text()
    assert link not in await tab.says("location.href")
    await tab.type("password", ANOTHER)
    await tab.type("again", ANOTHER)
    await tab.tab_to("button")
    await tab.submit()
    assert "Votre compte est ouvert" in await tab.text()
    assert link not in await tab.says("location.href")
    assert (await system.sign_in(email, ANOTHER)).role == "technician"
    unharmed(tab, site, link)


async def test_what_is_too_short_is_not_even_sent(system: System, site: str, chromium: Browser) -> None:
    _, link = await system.invited(Role.TECHNICIAN)
    tab = await chromium.tab()
    await tab.goes(f"{site}/invitation?token={link}")
    await tab.type("password", "short")
    await tab.press("Enter")
    assert await tab.says("document.querySelector(':invalid[name=password]') !== null")
    assert not [request for request in tab.requests if request["method"] == "POST"]


async def test_an_address_is_confirmed_in_the_language_of_the_browser(
    system: System, site: str, chromium: Browser
) -> None:
    lea = await system.client()
    link = await system.link("verify-email", lea)
    tab = await chromium.tab("fr-FR")
    await tab.goes(f"{site}/verify-email?token={link}")
    assert not done(await lea.get("/me"))["email_verified"]
    await tab.tab_to("button")
    await tab.submit()
    assert "Votre adresse est confirmée" in await tab.text()
    assert done(await lea.get("/me"))["email_verified"]
    unharmed(tab, site, link)


async def test_feedback_is_given_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    lea, id = scene.far.client, scene.far.records["feedback"]
    link = Links(scene.system.settings.link_secret).token("feedback", UUID(id))
    tab = await chromium.tab()
    await tab.goes(f"{site}/feedback?token={link}&lang=en")
    named = await tab.controls()
    assert named["5 – very good"] == named["10"] == "radio"
    assert named["Your comment (optional)"] == "textbox"
    assert named["Please call me back about it"] == "checkbox"
    await tab.tab_to("rating")
    await tab.press("Space")
    await tab.type("comment", "<b>Merci</b> & à bientôt")
    await tab.tab_to("contact_me")
    await tab.press("Space")
    await tab.tab_to("button")
    await tab.submit()
    assert "Thank you" in await tab.text()
    given = done(await lea.get(f"/feedback/{id}"))
    assert (given["rating"], given["comment"], given["contact_me"]) == (1, "<b>Merci</b> & à bientôt", True)
    unharmed(tab, site, link)


@pytest.mark.parametrize("width", [320, 800])
@pytest.mark.parametrize("page", [page for page in PAGES if page.shows is None], ids=lambda page: page.name)
async def test_nothing_is_cut_off_on_a_telephone(
    site: str, chromium: Browser, page: Page, width: int
) -> None:
    tab = await chromium.tab()
    whole = "x" * Links.LENGTH if page.is_whole("x" * Links.LENGTH) else str(UUID(int=1))
    await tab.goes(f"{site}/{page.name}?{page.key}={whole}&lang=fr")
    size = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    await tab.ask("Emulation.setDeviceMetricsOverride", **size)
    assert await tab.says("document.documentElement.scrollWidth") <= width
    style = "getComputedStyle(document.querySelector('button'))"
    assert await tab.says(f"{style}.backgroundColor") == "rgb(11, 92, 122)"
    assert await tab.says("document.querySelector('button').getBoundingClientRect().height") >= 44
    assert tab.complaints == []


async def test_the_browser_itself_holds_the_page_to_its_policy(site: str, chromium: Browser) -> None:
    """Or the tests above would see nothing."""
    tab = await chromium.tab()
    await tab.goes(f"{site}/forgotten-password")
    await tab.says("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:1/x.png\">')")
    await tab.says("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
    async with httpx.AsyncClient() as http:
        await http.get(f"{site}/health/live")
    assert len([said for said in tab.complaints if "Content Security Policy" in said]) >= 2
