"""Tokens and other headers that are missing, broken or meant to break something."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from uuid import UUID, uuid4

import jwt
import pytest
from recipes import Scene
from stories import PLACE, done, opened, refused, wrong_fields

from sav_chassis.identity import Signer, new_key
from sav_contracts.actor import Actor, Role

OPENING = {"article": "Évier", "problem_type": "leak", "description": "fuite", "place": PLACE}


def forged(scene: Scene, **changes: object) -> str:
    """A token with our claims but for these, signed with a key of a stranger."""
    private, _ = new_key()
    claims = jwt.decode(scene.manager.token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(scene.manager.token)["kid"]
    return jwt.encode(claims | changes, private, algorithm="EdDSA", headers={"kid": kid})


def unsigned(scene: Scene) -> str:
    claims = jwt.decode(scene.manager.token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(scene.manager.token)["kid"]
    return jwt.encode(claims, "", algorithm="none", headers={"kid": kid})


def altered(scene: Scene) -> str:
    head, body, signature = scene.near.client.token.split(".")
    other = scene.manager.token.split(".")[1]
    assert other != body
    return f"{head}.{other}.{signature}"


def expired(scene: Scene) -> str:
    return Signer(scene.system.settings.signing_key).token(
        Actor(id=UUID(scene.manager.id), role=Role.MANAGER), seconds=-1
    )


def hmac_with_the_public_key(scene: Scene) -> str:
    """The classic confusion: the public key, which everybody has, used as a shared secret."""
    [(kid, pem)] = scene.system.settings.public_keys.items()
    body = scene.manager.token.split(".")[1]
    head = base64.urlsafe_b64encode(f'{{"alg":"HS256","kid":"{kid}"}}'.encode()).decode().rstrip("=")
    mac = hmac.digest(pem.encode(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


FORGERIES = [forged, unsigned, altered, expired, hmac_with_the_public_key]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
async def test_a_token_that_auth_did_not_sign_or_that_is_over_is_refused(
    scene: Scene, forge: Callable[[Scene], str]
) -> None:
    header = f"Bearer {forge(scene)}"
    for method, path, body in (("GET", "/me", None), ("POST", "/reclamations", OPENING)):
        answer = await scene.system.visitor().ask(method, path, json=body, headers={"Authorization": header})
        refused(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer x",
        b"Bearer a.b.c",
        b"Bearer \xe9\xe9.\xff.\x80",
        b"Bearer " + b"x" * 100_000,
        b"Basic bWFyaWU6cGFzc3dvcmQ=",
        b"Bearer e30.e30.e30",
        b"Bearer eyJhbGciOiJFZERTQSIsImtpZCI6WzFdfQ.e30.e30",
        b"Bearer eyJhbGciOiJFZERTQSIsImtpZCI6bnVsbH0.e30.e30",
        b"Bearer W10.e30.e30",
    ],
    ids=lambda header: repr(header[:30]),
)
async def test_what_is_no_token_is_refused(scene: Scene, header: bytes) -> None:
    visitor = scene.system.visitor()
    for method, path in (("GET", "/me"), ("GET", "/reclamations"), ("POST", "/users")):
        answer = await visitor.ask(method, path, headers={"Authorization": header})
        refused(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_wrong_token_is_refused_where_none_is_needed(scene: Scene) -> None:
    answer = await scene.system.visitor().ask(
        "POST", "/auth/login", json={}, headers={"Authorization": "Bearer x"}
    )
    refused(answer, 401, "not_signed_in")


async def test_the_scheme_is_read_in_any_case(scene: Scene) -> None:
    answer = await scene.system.visitor().ask(
        "GET", "/me", headers={"Authorization": f"bearer {scene.near.client.token}"}
    )
    assert done(answer)["id"] == scene.near.client.id


@pytest.mark.parametrize(
    "key", [b"k" * 201, b"k\x07", b"\x00", b"k\x7f", b"\x85"], ids=lambda key: repr(key[:8])
)
async def test_an_unprintable_or_long_idempotency_key_is_refused(scene: Scene, key: bytes) -> None:
    answer = await scene.near.client.ask(
        "POST", "/reclamations", json=OPENING, headers={"Idempotency-Key": key}
    )
    assert wrong_fields(answer) == {"Idempotency-Key"}


@pytest.mark.parametrize(
    "key",
    [b"k" * 200, "clé é".encode("latin-1"), "ключ 漏水".encode(), b"' OR 1=1 --", b"{}", b"a,b"],
    ids=lambda key: repr(key[:12]),
)
async def test_any_printable_idempotency_key_works_and_comes_back(scene: Scene, key: bytes) -> None:
    key = key + uuid4().bytes.hex().encode()[: 200 - len(key)]
    made = [
        await scene.near.client.ask("POST", "/reclamations", json=OPENING, headers={"Idempotency-Key": key})
        for _ in range(2)
    ]
    if key.decode("latin-1").isprintable():
        assert done(made[0], 201)["id"] == done(made[1], 201)["id"]
        assert dict(made[0].headers.raw)[b"idempotency-key"] == key
    else:
        assert wrong_fields(made[0]) == {"Idempotency-Key"}


async def test_without_a_key_the_edge_makes_one_that_can_be_repeated(scene: Scene) -> None:
    first = await scene.near.client.post("/reclamations", OPENING)
    again = await scene.near.client.post("/reclamations", OPENING, key=first.headers["idempotency-key"])
    assert done(first, 201)["id"] == done(again, 201)["id"]


@pytest.mark.parametrize(
    "given", [b"", b"x", b"\xff\xfe", b"1" * 10_000, b"\x00", b"{00000000-0000-0000-0000-00000000000g}"]
)
async def test_a_broken_request_id_is_replaced(scene: Scene, given: bytes) -> None:
    answer = await scene.near.client.ask("GET", "/me", headers={"X-Request-ID": given})
    done(answer)
    UUID(answer.headers["x-request-id"])


async def test_a_request_id_follows_the_command_into_its_events(scene: Scene) -> None:
    given = str(uuid4())
    for answer in (
        await scene.near.client.ask("GET", "/me", headers={"X-Request-ID": given}),
        await scene.near.client.ask("GET", "/reclamations/x", headers={"X-Request-ID": given}),
        await scene.near.client.ask("POST", "/reclamations", json=OPENING, headers={"X-Request-ID": given}),
    ):
        assert answer.headers["x-request-id"] == given
    [event] = await scene.system.sql(
        "claims", "SELECT correlation_id FROM event_log WHERE subject = $1", answer.json()["id"]
    )
    assert str(event["correlation_id"]) == given


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "given",
    [b"", b"x", b"\x00", TRACE.encode() + b"\x00", b"\xff\xfe", b"0" * 300_000, TRACE[:-1].encode()],
    ids=lambda given: repr(given[:12]),
)
async def test_a_broken_trace_is_left_out(scene: Scene, given: bytes) -> None:
    answer = await scene.near.client.ask(
        "POST", "/reclamations", json=OPENING, headers={"traceparent": given}
    )
    assert await trace(scene, done(answer, 201)["id"]) is None
    assert await opened(scene.near.client), "the edge's line to the broker still works"


async def test_a_trace_follows_the_command_into_its_events(scene: Scene) -> None:
    answer = await scene.near.client.ask(
        "POST", "/reclamations", json=OPENING, headers={"traceparent": TRACE}
    )
    assert await trace(scene, done(answer, 201)["id"]) == TRACE


async def trace(scene: Scene, id: str) -> str | None:
    [event] = await scene.system.sql("claims", "SELECT traceparent FROM event_log WHERE subject = $1", id)
    found: str | None = event["traceparent"]
    return found


async def test_no_answer_is_kept_by_a_cache(scene: Scene) -> None:
    for path in ("/me", "/reclamations", "/reclamations/x"):
        assert (await scene.near.client.get(path)).headers["cache-control"] == "no-store"
