"""The small page that the code on a unit's label opens."""

from typing import Any

import httpx
from pages import Page, checked, sent
from recipes import Scene
from recipes.auth import with_an_authenticator
from recipes.catalog import registration
from stories import done
from system import PASSWORD

from sav_contracts.actor import Role

FRENCH = {"Accept-Language": "fr"}
SAID = {"problem_type": "leak", "description": "Ça fuit <b>beaucoup</b>"}


async def scanned(scene: Scene, http: httpx.AsyncClient, side: Any = None) -> Page:
    product = (side or scene.near).records["product"]
    return checked(await http.get("/report", params={"product": product}, headers=FRENCH))


async def reported(scene: Scene) -> list[Any]:
    found = done(await scene.near.client.get("/reclamations", product_id=scene.near.records["product"]))
    return [one["reference"] for one in found["items"]]


async def test_the_owner_reports_a_fault_once_and_reads_what_to_do(
    scene: Scene, http: httpx.AsyncClient
) -> None:
    lea, before = scene.near.client, await reported(scene)
    sessions = len(done(await lea.get("/me/sessions"))["items"])
    page = await scanned(scene, http)
    assert page.kinds["password"] == "password"
    told: Any = SAID | {"email": lea.email, "password": PASSWORD, "safety.gas_smell": "true"}
    for _ in range(2):
        after = await sent(http, page, **told)
        assert "Vous avez signalé une odeur de gaz" in after.text
        assert after.action == ""
    [new] = set(await reported(scene)) - set(before)
    assert new in after.text
    opened = done(await lea.get("/reclamations", reference=new))["items"][0]
    assert (opened["description"], opened["safety"]["gas_smell"]) == (SAID["description"], True)
    assert len(done(await lea.get("/me/sessions"))["items"]) == sessions


async def test_who_mistypes_the_password_is_asked_again(scene: Scene, http: httpx.AsyncClient) -> None:
    before, page = await reported(scene), await scanned(scene, http)
    wrong = await sent(http, page, 401, **SAID, email=scene.near.client.email, password="battery horse wrong")
    assert wrong.fields["description"] == SAID["description"]
    assert (wrong.fields["password"], wrong.action) == ("", "/report")
    missing = await sent(http, page, 422, email=scene.near.client.email)
    assert "À remplir" in missing.text
    assert await reported(scene) == before


async def test_who_has_a_second_factor_gives_its_code(scene: Scene, http: httpx.AsyncClient) -> None:
    lea, setting_up = await with_an_authenticator(scene, Role.CLIENT)
    unit = registration(scene.near.seen["product"]) | {"client_id": lea.id}
    product = done(await lea.post("/products", unit), 201)["id"]
    codes = done(await lea.post("/me/totp/confirm", setting_up))["codes"]
    page = checked(await http.get("/report", params={"product": product}, headers=FRENCH))
    told: Any = SAID | {"email": lea.email, "password": PASSWORD}
    for code, says in (
        ({}, "Envoyez aussi un code de votre application d’authentification"),
        ({"code": "000000"}, "L’adresse ou le mot de passe est incorrect"),
    ):
        asked = await sent(http, page, 401, **told, **code)
        assert says in asked.text
        assert asked.fields["description"] == SAID["description"], "what was typed stays"
        assert asked.fields["password"] == ""
        assert asked.action == "/report"
    assert done(await lea.get("/reclamations", product_id=product))["items"] == []
    after = await sent(http, asked, **told, code=codes[0])
    assert "Nous avons votre signalement" in after.text
    [new] = done(await lea.get("/reclamations", product_id=product))["items"]
    assert new["reference"] in after.text


async def test_nobody_reports_a_fault_of_what_belongs_to_somebody_else(
    scene: Scene, http: httpx.AsyncClient
) -> None:
    page = await scanned(scene, http, scene.far)
    refusal = await sent(http, page, 422, **SAID, email=scene.near.client.email, password=PASSWORD)
    assert scene.far.client.email not in refusal.text
    assert "Nous avons votre signalement" not in refusal.text
