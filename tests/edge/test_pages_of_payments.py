"""The page on which a client pays in the sandbox: by form, and in a browser by keyboard."""

from functools import partial
from uuid import uuid4

import httpx
import pytest
from chromium import Browser
from pages import checked, read_now, sent, unharmed
from recipes import Scene
from recipes.interventions import checkout
from stories import done, drafted

FRENCH = {"Accept-Language": "fr"}
now = partial(read_now, "payments")


async def test_who_pays_online_is_led_to_a_page_and_gives_up(scene: Scene, http: httpx.AsyncClient) -> None:
    payment = await checkout(scene, scene.near)
    path = f"/sandbox/checkout?checkout_id={payment['id']}"
    assert payment["checkout_url"].endswith(path)
    for _ in range(2):
        page = checked(await http.get(path, headers=FRENCH))
    assert (await now(scene, payment))["status"] == "initiated", "looking pays nothing"
    assert "aucune somme n’est prélevée" in page.text
    assert payment["invoice_number"] in page.text
    await sent(http, page, 422, outcome="stolen")
    after = await sent(http, page, outcome="cancelled")
    assert "Rien n’a été payé." in after.text
    assert (await now(scene, payment))["status"] == "expired"
    again = checked(await http.get(path))
    assert again.action == ""
    assert "Nothing was paid." in again.text


async def test_a_payment_that_failed_is_not_said_to_be_done(scene: Scene, http: httpx.AsyncClient) -> None:
    payment = await checkout(scene, scene.near)
    path = f"/sandbox/checkout?checkout_id={payment['id']}&lang=en"
    page = checked(await http.get(path))
    for shown in (await sent(http, page, outcome="failed"), checked(await http.get(path))):
        assert "The payment failed: nothing was paid." in shown.text
        assert "open it again from our message" in shown.text
        assert "You can close this page." not in shown.text
        assert "It is recorded" not in shown.text
    assert (await now(scene, payment))["status"] == "failed"


async def test_it_is_paid_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    client, technician = scene.near.client, scene.near.technician
    # An invoice of its own: other tests pay a cent of the scene's.
    draft = await drafted(client, scene.manager, technician)
    done(await scene.manager.post(f"/invoices/{draft['id']}/issue"))
    payment = done(await client.post(f"/invoices/{draft['id']}/checkout"), 201)
    tab = await chromium.tab()
    await tab.goes(f"{site}/sandbox/checkout?checkout_id={payment['id']}&lang=en")
    assert set(await tab.controls()) >= {"Pay", "The payment fails", "Give up"}
    await tab.tab_to("outcome")
    await tab.submit()
    assert "The invoice is paid." in await tab.text()
    assert (await now(scene, payment))["status"] == "captured"
    unharmed(tab, site, payment["id"])


@pytest.mark.parametrize("id", [str(uuid4()), "x"])
async def test_what_nobody_began_to_pay_is_not_there(http: httpx.AsyncClient, id: str) -> None:
    for answer in (
        await http.get(f"/sandbox/checkout?checkout_id={id}"),
        await http.post("/sandbox/checkout", data={"checkout_id": id, "outcome": "paid"}),
    ):
        assert answer.status_code == (400 if id == "x" else 404)
        assert checked(answer).action == ""


async def test_the_provider_leads_back_to_a_page(http: httpx.AsyncClient) -> None:
    for language, said in (("fr", "Si vous avez renoncé"), ("en", "If you gave up")):
        page = checked(await http.get("/back-from-payment", headers={"Accept-Language": language}))
        assert said in page.text
        assert page.action == ""
