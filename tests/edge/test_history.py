"""The plain history: every event that clients see has a sentence, in both languages, without codes and ids."""

import re
from typing import Any, get_args, get_type_hints

import pytest
from recipes import Scene
from stories import Json, items, qualified

from sav_contracts.calendar.appointment import Freed
from sav_contracts.claims.reclamation import (
    ReclamationQualified,
    ReclamationStatus,
    Resolution,
)
from sav_contracts.interventions.visit import WarrantyDecided
from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_edge.history import BECAME, FREED, SENTENCES, sentence

CODE = re.compile(r"[0-9a-f]{8}-|_|\\bNone\\b|[{}]")
# Not the “vous” of “rendez-vous”.
ADDRESSED = re.compile(r"(?<!-)\b(you|yours?|please|vous|vos|votre|vérifiez)\b", re.IGNORECASE)
SEEN = [
    event
    for event in EVENTS.values()
    if (event.client_sees or event.for_client is not Event.for_client)
    and event.makes_timeline_line
    and event.state_type().in_timelines()
]


def values(annotation: Any) -> list[Any]:
    """What a fact may be; for texts, one that a person could have typed."""
    choices = [one for one in get_args(annotation) if isinstance(one, str)]
    inner = [value for one in get_args(annotation) for value in values(one) if not isinstance(one, str)]
    return choices or inner or [True, False, "{typed} « texte »"]


@pytest.mark.parametrize("event", SEEN, ids=lambda event: event.__name__)
def test_every_event_that_clients_see_has_a_sentence_in_both_languages(event: type[Event]) -> None:
    facts = {name: values(hint) for name, hint in get_type_hints(event).items() if name in event.model_fields}
    facts.pop("state")
    said = []
    for number in range(max([1, *map(len, facts.values())])):
        given = {name: choices[number % len(choices)] for name, choices in facts.items()}
        text = sentence(event.type_name(), given, {})
        said += [text] if text else []
    assert said, f"{event.__name__}: say in edge/history.py what it means to a client"
    for text in said:
        assert text.en != text.fr
        for words in text:
            assert not CODE.search(words.replace("{typed}", "")), words
            assert not ADDRESSED.search(words), f"staff read it too: {words}"


def test_no_other_event_has_one() -> None:
    assert SENTENCES.keys() == set(SEEN)


def test_every_state_of_a_reclamation_is_said() -> None:
    assert BECAME.keys() == set(get_args(ReclamationStatus))


def test_why_a_time_is_free_is_said_in_the_readers_language() -> None:
    assert FREED.keys() == set(get_args(Freed))
    said = sentence("calendar.AppointmentCancelled.v1", {"cause": "another_technician"}, {})
    assert said
    assert said.en == "The appointment is cancelled: the visit is in the hands of another technician"
    assert (
        said.fr == "Le rendez-vous est annulé\N{NO-BREAK SPACE}: la visite est confiée à un autre technicien"
    )
    old = sentence("calendar.AppointmentCancelled.v1", {}, {})
    assert old == ("The appointment is cancelled", "Le rendez-vous est annulé")


@pytest.mark.parametrize("how", get_args(Resolution))
def test_what_was_not_repaired_is_not_said_to_be(how: str) -> None:
    said = sentence("claims.ReclamationMoved.v1", {"after": "resolved", "resolution": how}, {})
    assert said
    assert ("repair is finished" in said.en, "réparation est terminée" in said.fr) == (how == "repaired",) * 2
    assert ("estimate was refused" in said.en) is (how == "estimate_refused")


@pytest.mark.parametrize("accepted", ["*", "de", "de, *;q=0.5", ""])
@pytest.mark.parametrize("locale", ["fr", "en"])
async def test_who_names_neither_french_nor_english_reads_the_language_of_the_account(
    scene: Scene, accepted: str, locale: str
) -> None:
    lea = scene.near.client
    claim = await qualified(lea, scene.manager)
    assert (await lea.ask("PATCH", "/me", json={"locale": locale})).status_code == 200
    answer = await lea.ask(
        "GET", f"/reclamations/{claim['id']}/timeline", headers={"Accept-Language": accepted}
    )
    assert answer.headers["content-language"] == locale
    first = answer.json()["items"][0]["text"]
    assert first == {"fr": "La panne a été signalée", "en": "The fault was reported"}[locale]


@pytest.mark.parametrize("after", ["assigned", "in_progress"])
def test_a_wait_for_parts_that_is_over_does_not_say_that_they_came(after: str) -> None:
    said = sentence("claims.ReclamationMoved.v1", {"before": "awaiting_parts", "after": after}, {})
    assert said == BECAME[after]


async def test_a_client_reads_sentences_in_their_language_and_staff_read_all(
    scene: Scene,
) -> None:
    lea, marie = scene.near.client, scene.manager
    claim = await qualified(lea, marie)
    path = f"/reclamations/{claim['id']}"
    asked = {"to": "awaiting_client", "question": "Quel code {affiché} ?", "reason": "fiche 12"}
    assert (await marie.post(f"{path}/moves", asked)).status_code == 200

    async def read(language: str) -> list[Json]:
        answer = await lea.ask("GET", f"{path}/timeline", headers={"Accept-Language": language})
        assert "Accept-Language" in answer.headers["vary"]
        assert answer.headers["content-language"] == language
        told: list[Json] = answer.json()["items"]
        return told

    french, english = await read("fr"), await read("en")
    assert french[0]["text"] == "La panne a été signalée"
    assert english[0]["text"] == "The fault was reported"
    assert english[-1]["text"] == "A question is to be answered: “Quel code {affiché} ?”"
    assert all(entry["facts"] == {} for entry in french + english)
    staff = await items(marie, f"{path}/timeline")
    assert staff[-1]["facts"]["reason"] == "fiche 12"


@pytest.mark.parametrize("decision", ["covered", "partly", "not_covered", "unknown"])
def test_who_pays_is_said_once_for_each_decision(decision: str) -> None:
    qualified = sentence(ReclamationQualified.type_name(), {"coverage": decision}, {})
    decided = sentence(WarrantyDecided.type_name(), {"decision": decision}, {})
    assert qualified
    assert decided
    assert qualified != decided
    assert "garantie" in decided.fr
    assert "garantie" not in qualified.fr


@pytest.mark.parametrize("decision", ["covered", "partly", "not_covered", "unknown"])
def test_what_a_warranty_pays_fits_a_service_too(decision: str) -> None:
    said = sentence(WarrantyDecided.type_name(), {"decision": decision}, {})
    assert said
    assert ("repair" in said.en, "réparation" in said.fr) == (False, False)
