"""Refusals in French: told to who prefers it to English, wherever the refusal was made."""

import pytest
from recipes import Scene
from stories import assigned, refused
from system import System

from sav_edge.language import prefers_french

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("fr", True),
        ("fr-CA", True),
        ("FR-fr, en;q=0.9", True),
        ("en-GB,en;q=0.8,fr;q=0.7", False),
        ("en;q=0.5, fr;q=0.8", True),
        ("fr, en", True),
        ("en, fr", False),
        ("de, fr;q=0.4", True),
        ("*", False),
        ("fr;q=0", False),
        ("*, fr;q=0.5", False),
        ("*;q=0.5, en;q=0", True),
        ("fr;q=much", False),
        ("frr", False),
    ],
)
def test_french_is_spoken_where_it_is_preferred_to_english(accept: str, wanted: bool) -> None:
    assert prefers_french(accept) is wanted


async def test_a_refusal_is_in_the_language_that_the_caller_reads(system: System) -> None:
    client = await system.client()
    missing = "/reclamations/0197a6f0-0000-7000-8000-000000000000"
    answer = await client.ask("GET", missing, headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"})
    told = refused(answer, 404, "not_found")
    assert told["detail"] == f"réclamation introuvable{NBSP}: 0197a6f0-0000-7000-8000-000000000000"
    assert told["title"] == "Introuvable"
    assert answer.headers["content-language"] == "fr"
    assert answer.headers["vary"] == "Accept-Language"

    answer = await client.get(missing)
    assert refused(answer, 404, "not_found")["detail"].startswith("There is no claim")
    assert answer.headers["content-language"] == "en"
    assert answer.headers["vary"] == "Accept-Language"


async def test_what_a_service_refuses_and_what_has_no_route_is_in_french_too(system: System) -> None:
    client = await system.client()
    french = {"Accept-Language": "fr"}
    told = refused(await client.ask("POST", "/reclamations", json={}, headers=french), 422, "invalid")
    assert {"field": "description", "message": "ce champ est obligatoire"} in told["errors"]
    body = {
        "product_id": "0197a6f0-0000-7000-8000-000000000000",
        "problem_type": "leak",
        "description": "fuite",
    }
    told = refused(await client.ask("POST", "/reclamations", json=body, headers=french), 422, "invalid")
    assert told["errors"][0]["message"].startswith("produit introuvable")
    told = refused(await client.ask("GET", "/nowhere", headers=french), 404, "not_found")
    assert told["detail"].endswith("décrit sous /docs")


async def test_what_a_validator_of_ours_says_is_in_the_language_of_who_reads_it(scene: Scene) -> None:
    body = {"problem_type": "leak", "description": "fuite"}
    told = {}
    for language in ("en", "fr"):
        headers = {"Accept-Language": language}
        answer = await scene.near.client.ask("POST", "/reclamations", json=body, headers=headers)
        [told[language]] = refused(answer, 422, "invalid")["errors"]
    assert told["en"] == {"field": "body", "message": "product_id or article: say what is broken"}
    assert told["fr"]["field"] == "body"
    assert told["fr"]["message"] == f"product_id ou article{NBSP}: indiquez ce qui est en panne"


async def test_states_are_words_and_the_moves_that_are_left_stay_as_the_api_has_them(scene: Scene) -> None:
    _, visit = await assigned(scene.near.client, scene.manager, scene.near.technician)
    answer = await scene.near.technician.ask(
        "POST",
        f"/interventions/{visit['id']}/moves",
        json={"to": "on_site"},
        headers={"Accept-Language": "fr"},
    )
    told = refused(answer, 409, "illegal_move")
    assert told["detail"] == (
        f"intervention{NBSP}: le passage de l’état «{NBSP}planifié{NBSP}» "
        f"à l’état «{NBSP}sur place{NBSP}» n’est pas possible"
    )
    assert told["moves"] == ["accepted", "declined"]
    assert set(told) == {"type", "title", "status", "code", "detail", "moves"}
