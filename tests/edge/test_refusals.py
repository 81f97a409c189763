"""What a request with a wrong shape is told: every wrong field by name, never a fault of ours."""

from datetime import date, timedelta
from uuid import uuid4

import httpx
import pytest
from recipes import Scene
from stories import PLACE, assigned, done, opened, refused, wrong_fields

from sav_contracts.files import MAX_BODY
from sav_edge.json_bodies import GivenTwice, json_value

TOMORROW = date.today() + timedelta(days=1)

DEEP = "[" * 100_000 + "]" * 100_000


async def raw(scene: Scene, body: bytes | str, path: str = "/reclamations") -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return await scene.near.client.ask("POST", path, content=body, headers=headers)


async def test_every_wrong_field_of_a_body_is_named(scene: Scene) -> None:
    answer = await scene.near.client.post(
        "/reclamations",
        {
            "article": " ",
            "problem_type": "ghost",
            "description": "x" * 4001,
            "safety": {"gas_smell": "perhaps", "gas_smel": True},
            "colour": "red",
        },
    )
    misspelt = {"safety.gas_smel", "colour"}
    assert wrong_fields(answer) == misspelt | {"article", "problem_type", "description", "safety.gas_smell"}


async def test_every_missing_field_is_named(scene: Scene) -> None:
    answer = await scene.near.client.post("/reclamations", {})
    assert wrong_fields(answer) == {"problem_type", "description"}
    answer = await scene.manager.post("/articles", {"name": "Chaudière", "price": "1200.00"})
    assert wrong_fields(answer) == {"reference", "brand", "family", "description"}


async def test_what_is_wrong_with_several_fields_together_is_said_of_the_body(scene: Scene) -> None:
    answer = await scene.near.client.post("/reclamations", {"problem_type": "leak", "description": "y"})
    assert wrong_fields(answer) == {"body"}
    [error] = answer.json()["errors"]
    assert "product_id or article" in error["message"]
    both = {"product_id": str(uuid4()), "article": "x", "problem_type": "leak", "description": "y"}
    answer = await scene.near.client.post("/reclamations", both)
    assert wrong_fields(answer) == {"body"}
    assert "product_id, article: give one of them" in answer.json()["errors"][0]["message"]


async def test_a_wrong_secret_is_not_repeated_in_the_answer(scene: Scene) -> None:
    visitor = scene.system.visitor()
    answer = await visitor.post("/auth/register", {"email": "nobody", "password": "hunter2", "name": "Léa"})
    assert wrong_fields(answer) == {"email", "password"}
    assert "hunter2" not in answer.text


async def test_a_slot_is_as_long_as_a_visit_and_lies_within_a_year(scene: Scene) -> None:
    path = f"/reclamations/{scene.near.records['reclamation']}/assign"
    for start, end in (
        ("2020-01-01T10:00:00Z", "2020-01-01T12:00:00Z"),
        ("2199-01-01T10:00:00Z", "2199-01-01T12:00:00Z"),
        ("9999-01-01T10:00:00Z", "9999-01-01T12:00:00Z"),
        (f"{TOMORROW}T12:00:00Z", f"{TOMORROW}T10:00:00Z"),
        (f"{TOMORROW}T10:00:00", f"{TOMORROW}T12:00:00Z"),
        (f"{TOMORROW}T10:00:00Z", f"{TOMORROW}T10:00:40Z"),
        (f"{TOMORROW}T10:00:00Z", f"{TOMORROW}T22:00:01Z"),
        (f"{TOMORROW}T10:00:00Z", "2036-01-01T10:00:00Z"),
    ):
        body = {"technician_id": scene.far.technician.id, "slot": {"start": start, "end": end}}
        assert {name.partition(".")[0] for name in wrong_fields(await scene.manager.post(path, body))} == {
            "slot"
        }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nothing",
        b'{"article": }',
        b'{"article": "x"} and more',
        b"\xff\xfe",
        b'{"article": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"article": NaN}',
        b'{"article": Infinity}',
        b'{"article": "\\ud800"}',
        b'{"article": "\\udc00\\ud800"}',
        b'{"article": "\\x41"}',
        DEEP,
        '{"article": ' + DEEP + "}",
        '{"a":' * 50_000 + "1" + "}" * 50_000,
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_a_body_that_is_no_json_is_malformed(scene: Scene, body: bytes | str) -> None:
    refused(await raw(scene, body), 400, "malformed")


@pytest.mark.parametrize("number", ["9" * 4000, "9" * 100_000, "-1e308", "1e999", "1" + "0" * 400 + ".5"])
async def test_a_number_beyond_measure_is_refused(scene: Scene, number: str) -> None:
    refused(await raw(scene, number), 400, "malformed")
    answer = await raw(scene, f'{{"article": {number}}}')
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true", b"null", b'[{"article": "x"}]'])
async def test_a_body_that_is_no_object_is_malformed(scene: Scene, body: bytes) -> None:
    refused(await raw(scene, body), 400, "malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"article": "x", "article": "y"}', "article"),
        (b'{"article": "x", "\\u0061rticle": null}', "article"),
        (b'{"place": {"city": "Lyon", "country": "FR", "city": "Paris"}}', "place.city"),
        (b'{"preferred_times": [{"part": "any"}, [{"on": 1, "on": 1}]]}', "preferred_times.1.0.on"),
    ],
)
async def test_a_field_that_an_object_has_twice_is_refused_by_name(
    scene: Scene, body: bytes, field: str
) -> None:
    problem = refused(await raw(scene, body), 422, "invalid")
    assert problem["errors"] == [{"field": field, "message": "given more than once"}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("article", "a\0b"),
        ("article", "a\x1b[31mb"),
        ("article", "two\nlines"),
        ("description", "a\0b"),
        ("article", 10**400),
        ("article", 1e308),
        ("description", None),
        ("article", ["x"]),
        ("client_id", 10**400),
        ("client_id", "\0"),
        ("problem_type", "leak\0"),
    ],
)
async def test_a_value_that_no_database_should_hold_is_refused(
    scene: Scene, field: str, value: object
) -> None:
    body = {"article": "x", "problem_type": "leak", "description": "y"} | {field: value}
    assert wrong_fields(await scene.near.client.post("/reclamations", body)) == {field}


async def test_what_is_unusual_but_right_is_kept_as_it_was_sent(scene: Scene) -> None:
    text = "L’œuvre de 漏水 \U0001f6bf می\u200cخواهم\u00a0: end\twith\ttabs\nand lines"
    claim = await opened(scene.near.client, description=text)
    assert claim["description"] == text
    assert (await scene.manager.get(f"/reclamations/{claim['id']}")).json()["description"] == text


async def test_what_nobody_sees_is_taken_out(scene: Scene) -> None:
    claim = await opened(
        scene.near.client, description="goutte\u202e à\u200b goutte\ufeff", article="Chau\u00addière"
    )
    assert (claim["description"], claim["article"]) == ("goutte à goutte", "Chaudière")


@pytest.mark.parametrize("character", ["x", '"', "\n", "\U0001f6bf"], ids=["plain", "quote", "line", "wide"])
async def test_the_longest_texts_there_may_be_are_kept(scene: Scene, character: str) -> None:
    longest, why = ("a" + character * (length - 2) + "a" for length in (4000, 500))
    claim = await opened(scene.near.client, description=longest, article="a" * 200)
    path = f"/reclamations/{claim['id']}/qualify"
    qualified = done(await scene.manager.post(path, {"priority": "low", "reason": why}))
    assert (qualified["description"], qualified["priority_reason"]) == (longest, why)


async def test_a_body_that_is_too_large_is_refused(scene: Scene) -> None:
    room = MAX_BODY - len(b'{"article": ""}')
    just = await raw(scene, b'{"article": "' + b"x" * room + b'"}')
    assert "article" in wrong_fields(just)
    refused(await raw(scene, b'{"article": "' + b"x" * (room + 1) + b'"}'), 413, "too_large")


async def test_a_field_that_stands_in_the_path_is_refused_in_the_body(scene: Scene) -> None:
    id = scene.near.records["reclamation"]
    answer = await scene.manager.post(
        f"/reclamations/{id}/qualify", {"priority": "low", "reclamation_id": id}
    )
    assert wrong_fields(answer) == {"reclamation_id"}


async def test_a_command_takes_no_query_parameters_and_names_each(scene: Scene) -> None:
    answer = await scene.near.client.ask(
        "POST", "/reclamations?colour=red&article=x", json={"problem_type": "leak"}
    )
    assert {"colour", "article"} <= wrong_fields(answer)


async def test_one_record_takes_no_query_parameters_and_names_each(scene: Scene) -> None:
    for path in ("/me", f"/reclamations/{scene.near.records['reclamation']}"):
        answer = await scene.near.client.ask("GET", f"{path}?expand=all&limit=3")
        assert wrong_fields(answer) == {"expand", "limit"}


@pytest.mark.parametrize("id", ["1", "x", "%00", "%ED%A0%80", "%FF", "0" * 33, "a" * 5000, "null", "é"])
async def test_an_id_in_a_path_that_is_no_uuid_is_named(scene: Scene, id: str) -> None:
    for path in ("/reclamations/{}", "/reclamations/{}/timeline", "/clients/{}"):
        [name] = wrong_fields(await scene.manager.ask("GET", path.format(id)))
        assert name in ("reclamation_id", "client_id")
    answer = await scene.manager.post(f"/reclamations/{id}/qualify", {"priority": "low"})
    assert wrong_fields(answer) == {"reclamation_id"}


async def test_an_id_that_nobody_has_is_not_found(scene: Scene) -> None:
    nobody = uuid4()
    for path in ("/reclamations", "/clients", "/interventions", "/technicians"):
        refused(await scene.manager.get(f"{path}/{nobody}"), 404, "not_found")
    refused(await scene.manager.get(f"/reclamations/{nobody}/timeline"), 404, "not_found")
    qualify = await scene.manager.post(f"/reclamations/{nobody}/qualify", {"priority": "low"})
    refused(qualify, 404, "not_found")
    refused(await scene.manager.post(f"/interventions/{nobody}/moves", {"to": "accepted"}), 404, "not_found")


async def test_an_id_of_another_kind_is_not_found(scene: Scene) -> None:
    refused(await scene.manager.get(f"/reclamations/{scene.near.records['intervention']}"), 404, "not_found")


async def test_a_technician_or_client_whom_nobody_knows_is_named(scene: Scene) -> None:
    nobody = str(uuid4())
    claim = (await scene.manager.get(f"/reclamations/{scene.near.records['reclamation']}")).json()
    assigning = await scene.manager.post(f"/reclamations/{claim['id']}/assign", {"technician_id": nobody})
    assert wrong_fields(assigning) == {"technician_id"}
    body = {"article": "x", "problem_type": "leak", "description": "y", "client_id": nobody, "place": PLACE}
    assert wrong_fields(await scene.manager.post("/reclamations", body)) == {"client_id"}


async def test_an_illegal_move_names_the_legal_ones(scene: Scene) -> None:
    _, visit = await assigned(scene.near.client, scene.manager, scene.near.technician)
    path = f"/interventions/{visit['id']}/moves"
    problem = refused(await scene.near.technician.post(path, {"to": "on_site"}), 409, "illegal_move")
    assert problem["moves"] == ["accepted", "declined"]

    claim = await opened(scene.near.client)
    answer = await scene.manager.post(
        f"/reclamations/{claim['id']}/assign", {"technician_id": scene.near.technician.id}
    )
    moves = refused(answer, 409, "illegal_move")["moves"]
    assert "qualified" in moves
    assert "assigned" not in moves


async def test_assigning_the_same_technician_again_is_a_conflict(scene: Scene) -> None:
    path = f"/reclamations/{scene.near.records['reclamation']}/assign"
    answer = await scene.manager.post(path, {"technician_id": scene.near.technician.id})
    refused(answer, 409, "already_assigned")


async def test_an_address_that_has_an_account_is_not_invited_again(scene: Scene) -> None:
    body = {"email": scene.near.client.email.upper(), "name": "Omar", "role": "technician"}
    refused(await scene.admin.post("/users", body), 409, "email_taken")
    for role in ("client", "system", "anyone"):
        assert wrong_fields(await scene.admin.post("/users", body | {"role": role})) == {"role"}


def test_the_name_of_a_field_that_is_there_twice_is_cut() -> None:
    name = "x" * 5000
    with pytest.raises(GivenTwice) as refused:
        json_value(f'[{{}}, {{"": {{"{name}": 1, "{name}": 2}}}}]')
    [wrong] = refused.value.problem.errors or []
    assert wrong.field == f"1..{name}"[:100]
    assert len(refused.value.problem.detail) < 150
