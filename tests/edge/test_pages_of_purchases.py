"""The page on which a client withdraws from what they bought: by form, and in a browser by keyboard."""

from functools import partial
from uuid import UUID

import httpx
from chromium import Browser
from given_orders import order_line
from pages import Page as Read
from pages import checked, opened, read_now, sent, unharmed
from recipes import Scene
from recipes.claims import shipped, to_withdraw_from
from recipes.interventions import to_withdraw
from sessions import letter
from stories import done

from sav_chassis.identity import Links
from sav_contracts.actor import Role
from sav_contracts.claims.order import PurchaseShown
from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_edge.pages import PAGES
from sav_edge.pages.rendering import rendered

FRENCH = {"Accept-Language": "fr"}
now = partial(read_now, "orders")
PAGE = "withdraw-order"


async def test_withdrawing_from_a_purchase_has_two_steps(scene: Scene, http: httpx.AsyncClient) -> None:
    # Whatever other tests made of their language.
    client = done(await scene.near.client.ask("PATCH", "/me", json={"locale": "fr"}))
    order = await to_withdraw_from(scene, scene.near)
    mail = await letter(scene.system, client["email"], f"reçu votre commande {order['reference']}")
    assert f"/{PAGE}?token={order['token']}&lang=fr" in mail
    for _ in range(3):
        page = await opened(http, PAGE, order["token"], headers=FRENCH)
    assert (await now(scene, order))["withdrawal_asked_at"] is None, "looking is no withdrawal"
    for said in (order["reference"], order["lines"][0]["article"], "Total TTC", "Renoncer au contrat ici"):
        assert said in page.text
    assert "jusqu’à 14 jours après avoir reçu les articles" in page.text
    assert "La commande n’est pas expédiée" in page.text
    assert "Renvoyez les articles" not in page.text
    second = await sent(http, page, confirm="false")
    assert "Rien n’est encore annulé" in second.text
    assert (await now(scene, order))["status"] == "placed"
    after = await sent(http, second, confirm="true")
    assert "Votre rétractation est confirmée Vous avez renoncé à cet achat." in after.text
    assert "accusé de réception" in after.text
    assert after.action == ""
    kept = await now(scene, order)
    assert (kept["status"], bool(kept["withdrawn_at"])) == ("cancelled", True)
    receipt = await letter(scene.system, client["email"], f"rétractation – commande {order['reference']}")
    assert "Conservez ce message" in receipt
    # Pressed twice: the same comes of it. Opened again it says what became of it, and has no form.
    assert "Votre rétractation est confirmée" in (await sent(http, second, confirm="true")).text
    again = await opened(http, PAGE, order["token"])
    assert again.action == ""
    assert "You withdrew from this purchase on" in again.text


async def test_after_it_was_shipped_the_goods_come_back(scene: Scene, http: httpx.AsyncClient) -> None:
    _, order = await shipped(scene, Role.CLIENT)
    token = Links(scene.system.settings.link_secret).token(PAGE, UUID(order["id"]))
    page = await opened(http, PAGE, token)
    assert "Send the goods back to" in page.text
    assert "The order is not shipped" not in page.text
    after = await sent(http, await sent(http, page, confirm="false"), confirm="true")
    assert "We may wait until we have the goods" in after.text
    assert "you owe nothing" not in after.text
    done(await scene.manager.post(f"/orders/{order['id']}/return"))
    back = await opened(http, PAGE, token)
    assert "We have had the goods back since" in back.text
    assert "Send the goods back" not in back.text


def test_after_the_last_day_it_says_so() -> None:
    [page] = [page for page in PAGES if page.name == PAGE]
    line = order_line(article="<b>Pompe</b>")
    facts = {
        **{"reference": "CMD-2026-000001", "client": "Léa", "lines": [line], "currency": "EUR"},
        **{"net": "372.80", "gross": None, "status": "over", "shipped": True, "days": 14},
        **{"ordered_on": "2025-12-20", "until": "2026-01-05", "pay_back_by": "2026-01-20"},
        **{"returned_on": None, "withdrawn_on": None},
    }
    said = PurchaseShown.model_validate(facts).model_dump(mode="json")
    read = Read(rendered(page, True, DEMONSTRATION, token="x", shown=said).decode())
    assert "Le délai de rétractation a pris fin le 5 janvier 2026" in read.text
    assert "<b>Pompe</b>" in read.text
    assert f"{DEMONSTRATION.name}, {DEMONSTRATION.address}, {DEMONSTRATION.email}" in read.text
    assert "TTC" not in read.text
    assert "remboursé" not in read.text
    assert read.action == ""


async def test_of_a_cancelled_order_nothing_is_withdrawn_from(scene: Scene, http: httpx.AsyncClient) -> None:
    order = await to_withdraw_from(scene, scene.near)
    done(await scene.near.client.post(f"/orders/{order['id']}/cancel"))
    page = await opened(http, PAGE, order["token"])
    assert "This order was cancelled" in page.text
    assert page.action == ""


async def test_nobody_confirms_what_they_have_not_said(scene: Scene, http: httpx.AsyncClient) -> None:
    order = await to_withdraw_from(scene, scene.near)
    refusal = await sent(http, await opened(http, PAGE, order["token"]), 409, confirm="true")
    assert "Say first that you want to withdraw" in refusal.text
    assert (await now(scene, order))["withdrawn_at"] is None


async def test_a_link_of_another_kind_does_not_open_it(scene: Scene, http: httpx.AsyncClient) -> None:
    order, estimate = await to_withdraw_from(scene, scene.near), await to_withdraw(scene, scene.near)
    for name, token in ((PAGE, estimate["token"]), ("withdraw", order["token"]), ("paper", order["token"])):
        refusal = await http.get(f"/{name}", params={"token": token})
        assert refusal.status_code == 410
        assert checked(refusal).action == ""


async def test_a_client_withdraws_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    order = await to_withdraw_from(scene, scene.near)
    tab = await chromium.tab()
    await tab.goes(f"{site}/{PAGE}?token={order['token']}&lang=fr")
    size = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    await tab.ask("Emulation.setDeviceMetricsOverride", **size)
    assert await tab.says("document.documentElement.scrollWidth") <= 320
    assert "Renoncer au contrat ici" in await tab.controls()
    await tab.tab_to("confirm")
    await tab.submit()
    assert "Confirmer la rétractation" in await tab.controls()
    await tab.tab_to("confirm")
    await tab.submit()
    assert "Votre rétractation est confirmée" in await tab.text()
    assert (await now(scene, order))["withdrawn_at"]
    unharmed(tab, site, order["token"])
