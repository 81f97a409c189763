"""How a réclamation comes in, in each way in which it may, through the edge."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from eventually import eventually
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run
from kept_mails import plain, read
from pictures import GPS, heic
from stories import PLACE, Json, assign, closed, done, items, opened, refused, visit_of, wrong_fields
from system import Person, System

from sav_ops.demo import journey

HOME = {"address": "8 quai Perrache", "postcode": "69002", "city": "Lyon"}
DANGER = {"gas_smell": True, "co_alarm": False}


async def mail(system: System, who: Person, subject: str) -> str:
    """The text of the mail to them whose subject begins so; other tests make many managers, so it may take a while."""

    async def look() -> str | None:
        for path in Path(system.settings.mailbox).glob(f"*{who.email}*.eml"):
            kept = read(path)
            if str(kept["subject"]).replace("\u00a0", " ").startswith(subject):
                return plain(kept).replace("\u00a0", " ")
        return None

    return await eventually(look, 30)


async def boiler(client: Person, manager: Person, family: str = "heating") -> Json:
    """One that this client owns."""
    article = journey.BOILER | {"reference": f"IN-{client.id[-12:]}-{family}", "family": family}
    unit = {
        "article_id": done(await manager.post("/articles", article), 201)["id"],
        "serial": f"IN-{client.id[-12:]}",
        "place": journey.PLACE,
        "purchase_date": str(date.today() - timedelta(days=40)),
    }
    return done(await client.post("/products", unit), 201)


async def test_the_technician_reads_where_to_go_and_whom_to_call(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    done(await lea.ask("PATCH", "/me", json={"phone": "+33 6 12 34 56 78"}))
    place = HOME | {"access_notes": "Code 7B"}
    claim = await opened(lea, place=place, preferred_times=[{"weekday": "tue", "part": "morning"}])
    assert claim["place"]["access_notes"] == "Code 7B"
    path = f"/reclamations/{claim['id']}"
    done(await marie.post(f"{path}/qualify", {"priority": "high"}))
    done(await assign(marie, claim, karim))
    visit = await visit_of(karim, claim)
    assert visit["place"] == claim["place"]
    assert done(await karim.get(path))["preferred_times"][0]["weekday"] == "tue"
    told = await mail(system, karim, f"Nouvelle visite {claim['reference']}")
    for said in ("8 quai Perrache, 69002 Lyon", "Code 7B", "+33612345678", "le mardi, le matin"):
        assert said in told


async def test_the_invoice_of_an_article_in_words_has_an_address(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    visit = await closed(lea, marie, karim)
    nobody = {"parts": 0, "labour": 0, "travel": 0, "reason": "hors garantie"}
    done(await marie.post(f"/interventions/{visit['id']}/warranty", nobody))
    [draft] = await eventually(lambda: items(marie, "/invoices", intervention_id=visit["id"]))
    assert draft["buyer"]["address"] == "3 rue des Lilas, 69003 Lyon"
    refused(await marie.post(f"/invoices/{draft['id']}/issue"), 409, "no_agreement")
    agreed = {"above_estimate": "Convenu au téléphone."}
    done(await marie.ask("PATCH", f"/invoices/{draft['id']}", json=agreed))
    issued = done(await marie.post(f"/invoices/{draft['id']}/issue"))
    assert issued["buyer"]["address"] == "3 rue des Lilas, 69003 Lyon"


async def test_a_product_or_words_and_a_place_where_no_product_gives_one(
    system: System, marie: Person
) -> None:
    lea = await system.client()
    words = {"article": "Chaudière", "problem_type": "no_heating", "description": "plus de chauffage"}
    assert wrong_fields(await lea.post("/reclamations", words)) == {"place"}
    product = await boiler(lea, marie)
    both = words | {"product_id": product["id"]}
    answer = await lea.post("/reclamations", both)
    assert wrong_fields(answer) == {"body"}
    assert "product_id, article" in answer.json()["detail"] + answer.text
    of_product = {"product_id": product["id"], "problem_type": "no_heating", "description": "froid"}
    assert done(await lea.post("/reclamations", of_product), 201)["place"] == product["place"]
    assert wrong_fields(await lea.post("/reclamations", of_product | {"place": HOME})) == {"body"}


async def test_types_and_questions_are_those_of_the_family(system: System, marie: Person) -> None:
    lea = await system.client()
    families = done(await lea.get("/problem-types"))["items"]
    types = {
        family["family"]: {each["problem_type"]: each["questions"] for each in family["types"]}
        for family in families
    }
    assert [question["name"] for question in types["heating"]["no_heating"]] == ["gas_smell", "co_alarm"]
    assert "no_heating" not in types["sanitary"]
    basin = await boiler(lea, marie, "sanitary")
    fault = {"product_id": basin["id"], "problem_type": "no_heating", "description": "froid"}
    assert wrong_fields(await lea.post("/reclamations", fault)) == {"problem_type"}


async def test_danger_is_answered_at_once_and_managers_and_admins_are_told(
    system: System, marie: Person
) -> None:
    lea, alex = await system.client(), await system.admin()
    done(await lea.ask("PATCH", "/me", json={"phone": "+33 6 12 34 56 78"}))
    claim = await opened(lea, safety=DANGER)
    [what] = claim["instructions"]
    assert what["danger"] == "gas_smell"
    assert any("0 800 47 33 33" in step["fr"].replace("\u00a0", " ") for step in what["steps"])
    own = await mail(system, lea, "Votre sécurité d’abord")
    assert "0 800 47 33 33" in own
    assert claim["reference"] in own
    for who in (marie, alex):
        told = await mail(system, who, f"[DANGER] Nouvelle réclamation {claim['reference']}")
        assert "+33612345678" in told
    assert done(await marie.get(f"/reclamations/{claim['id']}"))["priority"] == "critical"


async def test_staff_take_one_down_for_a_client(system: System, marie: Person) -> None:
    lea, karim, alex = await system.client(), await system.technician(), await system.admin()
    fault = {"article": "Chaudière", "place": PLACE, "problem_type": "noise", "description": "elle siffle"}
    assert wrong_fields(await marie.post("/reclamations", fault)) == {"client_id"}
    theirs = fault | {"client_id": lea.id, "channel": "counter", "safety": {"gas_smell": False}}
    refused(await karim.post("/reclamations", theirs), 403, "not_allowed")
    for who in (marie, alex):
        claim = done(await who.post("/reclamations", theirs), 201)
        assert (claim["channel"], claim["opened_by"]) == ("counter", who.id)
        assert claim["unanswered"] == ["co_alarm"]
        read_by_client = done(await lea.get(f"/reclamations/{claim['id']}"))
        assert not {"channel", "opened_by", "unanswered"} & read_by_client.keys()
    told = await mail(system, marie, f"Nouvelle réclamation {claim['reference']}")
    assert "au comptoir" in told
    assert "Question de sécurité sans réponse : alarme monoxyde de carbone" in told

    done(await marie.post(f"/users/{lea.id}/deactivate"))

    async def is_refused() -> bool:
        answer = await marie.post("/reclamations", theirs)
        return bool(answer.status_code == 409 and answer.json()["code"] == "client_gone")

    await eventually(is_refused, 20)


async def test_photos_of_a_phone_answer_what_was_asked(system: System, marie: Person) -> None:
    lea = await system.client()
    claim = await opened(lea)
    path = f"/reclamations/{claim['id']}"
    done(await marie.post(f"{path}/qualify", {"priority": "high"}))
    sent = [("photos", (f"IMG_{n}.HEIC", heic(orientation=6), "image/heic")) for n in range(2)]
    photos = done(await lea.ask("POST", f"{path}/photos", files=sent), 201)["items"]
    assert {photo["file"]["media_type"] for photo in photos} == {"image/jpeg"}
    shown = await lea.get(f"{path}/photos/{photos[0]['id']}")
    assert (shown.status_code, GPS.encode() in shown.content) == (200, False)
    assert "2 photos" in await mail(system, marie, f"Nouvelles photos : {claim['reference']}")

    unread = [("photos", ("photo.jpg", b"no picture", "image/jpeg"))]
    problem = refused(await lea.ask("POST", f"{path}/photos", files=unread), 415, "unsupported_media_type")
    assert "HEIC), or it was cut off: photo.jpg" in problem["detail"]
    more = [("photos", (f"{n}.HEIC", heic(), "image/heic")) for n in range(6)]
    done(await lea.ask("POST", f"{path}/photos", files=more), 201)
    refused(await lea.ask("POST", f"{path}/photos", files=more[:3]), 409, "too_many_photos")


async def test_an_unfinished_one_waits_for_its_author(system: System, marie: Person) -> None:
    lea, paul = await system.client(), await system.client()
    path = "/me/reclamation-draft"
    refused(await lea.get(path), 404, "not_found")
    half = {"article": "Chaudière", "place": HOME, "safety": {"gas_smell": False}}
    kept = done(await lea.ask("PUT", path, json=half))
    assert kept["kept_until"] > kept["saved_at"]
    assert done(await lea.get(path)) == kept
    for other in (paul, marie):
        refused(await other.get(path), 404, "not_found")
    assert wrong_fields(await lea.ask("PUT", path, json={"problem_type": "ghost"})) == {"problem_type"}
    assert done(await lea.get(path)) == kept
    whole = half | {"problem_type": "noise", "description": "elle siffle"}
    done(await lea.post("/reclamations", whole), 201)
    refused(await lea.get(path), 404, "not_found")
    done(await lea.ask("PUT", path, json=half))
    done(await lea.ask("DELETE", path))
    refused(await lea.get(path), 404, "not_found")


async def test_the_same_fault_twice_is_pointed_out(system: System, marie: Person) -> None:
    lea = await system.client()
    product = await boiler(lea, marie)
    fault = {"product_id": product["id"], "problem_type": "no_heating", "description": "froid"}
    first = done(await lea.post("/reclamations", fault), 201)
    second = done(await lea.post("/reclamations", fault), 201)
    assert first["possible_duplicates"] == []
    assert second["possible_duplicates"] == [{"id": first["id"], "reference": first["reference"]}]
    told = await mail(system, marie, f"Nouvelle réclamation {second['reference']}")
    assert f"Déjà ouverte pour ce produit : {first['reference']}" in told


async def test_a_fault_that_comes_back_is_linked_to_the_earlier_visit(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    product = await boiler(lea, marie)
    fault = {"product_id": product["id"], "problem_type": "no_heating", "description": "froid"}
    first, visit = await repaired(lea, marie, karim, fault)
    again = done(await lea.post("/reclamations", fault), 201)
    assert "repeat_of" not in again
    seen = done(await marie.get(f"/reclamations/{again['id']}"))
    assert (seen["repeat_of"], seen["earlier_visit_id"]) == (first["id"], visit["id"])
    assert seen["possible_duplicates"] == []


async def repaired(lea: Person, marie: Person, karim: Person, fault: Json) -> tuple[Json, Json]:
    """A réclamation that is resolved, and its visit."""
    claim = done(await lea.post("/reclamations", fault), 201)
    done(await marie.post(f"/reclamations/{claim['id']}/qualify", {"priority": "high"}))
    done(await assign(marie, claim, karim))
    visit = await visit_of(karim, claim)
    path = f"/interventions/{visit['id']}"
    for step in ("accepted", "en_route", "on_site", "in_progress"):
        done(await karim.post(f"{path}/moves", {"to": step}))
    work = {"solution": "joint changé", "labour": [{"description": "Pose du joint", "minutes": 30}]}
    done(await karim.ask("PUT", f"{path}/work", json=work))
    done(await karim.post(f"{path}/moves", {"to": "completed"}))
    written = {"findings": "joint usé", "work_done": "joint changé"}
    done(await karim.ask("PUT", f"{path}/report", json=written))
    done(await karim.post(f"{path}/report/sign", {"refused": "la cliente était partie"}))
    done(await karim.post(f"{path}/report/submit"))
    done(await marie.post(f"{path}/report/validate"))
    resolved = {"status": "resolved", "client_id": lea.id, "reference": claim["reference"]}
    await eventually(lambda: items(marie, "/reclamations", **resolved), 10)
    return claim, visit


ANY: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just([]) | st.just({})
)
BODY = st.fixed_dictionaries(
    {"problem_type": st.sampled_from(["leak", "other"]) | ANY, "description": st.just("fuite") | ANY},
    optional={
        "article": st.just("Évier") | ANY,
        "product_id": st.uuids().map(str) | ANY,
        "place": st.just(HOME)
        | st.fixed_dictionaries({}, optional=dict.fromkeys([*HOME, "country"], ANY))
        | ANY,
        "channel": st.sampled_from(["site", "phone"]) | ANY,
        "safety": st.fixed_dictionaries({}, optional=dict.fromkeys(["gas_smell", "flooding"], ANY)) | ANY,
        "preferred_times": ANY
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "weekday": st.just("mon") | ANY,
                    "on": st.sampled_from(["2026-02-30", "2199-01-01", "0001-01-01"]) | ANY,
                    "part": st.just("evening") | ANY,
                },
            ),
            max_size=12,
        ),
    },
)


async def test_whatever_a_form_sends_is_opened_or_refused_and_never_a_fault(system: System) -> None:
    """As written, and as a draft."""
    lea = await system.client()

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=BODY)
    async def send(body: dict[str, Any]) -> None:
        for method, path in (("PUT", "/me/reclamation-draft"), ("POST", "/reclamations")):
            answer = await lea.ask(method, path, json=body)
            assert answer.status_code in (200, 201, 422, 429, 503), answer.text

    await run(send)
