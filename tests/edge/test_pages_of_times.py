"""The page on which a client chooses another time."""

import httpx
from eventually import eventually
from pages import opened, sent
from recipes import Scene
from recipes.others import offered
from stories import items

FRENCH = {"Accept-Language": "fr"}


async def test_a_time_is_chosen_by_the_link_once(scene: Scene, http: httpx.AsyncClient) -> None:
    conflict = await offered(scene, scene.near)
    for _ in range(3):
        page = await opened(http, "times", conflict["token"], headers=FRENCH)
    for said in (
        conflict["reclamation_reference"],
        "Le technicien prévu ne peut pas venir",
        "Choisir ce créneau",
        "entre",
    ):
        assert said in page.text
    [same] = await items(scene.manager, "/conflicts", reclamation_id=conflict["reclamation_id"])
    assert same["status"] == "open", "looking is no answer"
    await sent(http, page, 422)  # no button was pressed
    wrong = await sent(http, page, 422, choice="4")
    assert "Ce créneau vient d’être pris" in wrong.text
    after = await sent(http, wrong, choice="1")
    assert "Votre choix est enregistré" in after.text

    async def is_booked() -> bool:
        found = await items(
            scene.near.client, "/appointments", reclamation_id=conflict["reclamation_id"], status="booked"
        )
        return [one["start"] for one in found] == [conflict["free"]["start"]]

    await eventually(is_booked)
    again = await opened(http, "times", conflict["token"])
    assert "Your choice is recorded" in again.text
    assert again.action == ""


async def test_a_link_that_is_none_shows_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/times", params={"token": "x" * 64})
    assert answer.status_code == 410
    assert "no longer valid" in answer.text


async def test_it_is_a_page_without_a_script(scene: Scene, http: httpx.AsyncClient) -> None:
    conflict = await offered(scene, scene.near)
    page = await opened(http, "times", conflict["token"], headers=FRENCH)
    assert page.language == "fr"
    assert "script" not in page.tags
