"""What somebody tries who wants in: forged tokens, guessed addresses and passwords, requests that are read two ways."""

import asyncio
import hmac
import json
import re
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from recipes import Scene
from stories import done, refused, wrong_fields
from system import PASSWORD, System

from sav_auth import passwords
from sav_auth.attempts import FREE_FOR_ACCOUNT
from sav_chassis.identity import new_key
from sav_chassis.settings import Settings
from sav_contracts.auth.account import InviteUser
from sav_edge.app import listening
from sav_ops.home import REPO

Json = dict[str, Any]
STRANGER, _ = new_key()
# Whatever an algorithm takes for the key of HMAC.
SECRETS = {
    "the public key": lambda pem: pem.encode(),
    "the public key without its frame": lambda pem: "".join(pem.splitlines()[1:-1]).encode(),
    "nothing": lambda pem: b"",
}
# Each is signed with the right key; only its name is another one.
KEY_IDS = {
    "unknown": "0123456789abcdef",
    "empty": "",
    "a file": "../../../../dev/null",
    "SQL": "x' UNION SELECT 'x",
    "a command": "| true",
    "very long": "k" * 20_000,
    "a list": ["x"],
    "an object": {"kid": "x"},
    "a number": 1,
    "null": None,
}
# What may be claimed under a right signature but is not meant for us, or not for now.
CLAIMS: dict[str, Json] = {
    "of another audience": {"aud": "billing"},
    "of several audiences without ours": {"aud": ["billing", "sav.test"]},
    "without audience": {"aud": None},
    "of another issuer": {"iss": "https://evil.test"},
    "without issuer": {"iss": None},
    "over": {"exp": int(time.time()) - 1},
    "without an end": {"exp": None},
    "not yet good": {"nbf": int(time.time()) + 3600},
    "of SAV itself in small letters": {"role": "sYSTEM"},
    "of several roles": {"role": ["client", "admin"]},
    "of nobody": {"sub": None},
    "of a name": {"sub": "admin"},
}


def encoded(part: Json) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


class Forger:
    """Makes tokens like those of an admin who is there."""

    def __init__(self, scene: Scene) -> None:
        self.claims = jwt.decode(scene.admin.token, options={"verify_signature": False})
        self.head = jwt.get_unverified_header(scene.admin.token)
        self.pem = scene.system.settings.public_keys[self.head["kid"]]
        self._key = scene.system.settings.signing_key

    def token(
        self, head: Json | None = None, key: Any = None, algorithm: str = "EdDSA", **claims: Any
    ) -> str:
        said = {name: value for name, value in (self.claims | claims).items() if value is not None}
        return jwt.encode(said, key or self._key, algorithm, self.head | {"alg": algorithm} | (head or {}))

    def signed(self, text: bytes) -> bytes:
        """What auth's key says to it."""
        key = load_pem_private_key(self._key.encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        return key.sign(text)

    def with_head(self, head: Json, signed: Callable[[bytes], bytes]) -> str:
        """With a head that no library would write."""
        text = f"{encoded(self.head | head)}.{encoded(self.claims)}"
        return f"{text}.{urlsafe_b64encode(signed(text.encode())).decode().rstrip('=')}"


@pytest.fixture(scope="module")
def forger(scene: Scene) -> Forger:
    return Forger(scene)


async def opens_nothing(scene: Scene, token: str) -> None:
    """Neither to read, nor to write, nor at a service that is asked past the edge."""
    visitor = scene.system.visitor()
    headers = {"Authorization": f"Bearer {token}"}
    new = {"email": f"{uuid4()}@example.com", "name": "Omar", "role": "manager"}
    for method, path, body in (("GET", "/me", None), ("GET", "/users", None), ("POST", "/users", new)):
        refused(await visitor.ask(method, path, json=body, headers=headers), 401, "not_signed_in")
    answer = await scene.system.asks.ask(InviteUser.model_validate(new), 5, token=token)
    assert answer.problem
    assert (answer.problem.status, answer.events) == (401, [])


async def test_a_token_as_auth_signs_it_opens_what_is_the_admins(scene: Scene, forger: Forger) -> None:
    """What the forged ones differ from."""
    answer = await scene.system.visitor().ask(
        "GET", "/users", headers={"Authorization": f"Bearer {forger.token()}"}
    )
    done(answer)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None])
async def test_a_token_that_asks_not_to_be_checked_opens_nothing(
    scene: Scene, forger: Forger, algorithm: str | None
) -> None:
    await opens_nothing(scene, forger.with_head({"alg": algorithm}, lambda _: b""))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
async def test_what_everybody_knows_is_no_key(
    scene: Scene, forger: Forger, secret: Callable[[str], bytes], algorithm: str
) -> None:
    key = secret(forger.pem)
    await opens_nothing(
        scene, forger.with_head({"alg": algorithm}, lambda text: hmac.digest(key, text, "sha256"))
    )


async def test_a_key_of_a_strangers_opens_nothing_under_any_algorithm(scene: Scene, forger: Forger) -> None:
    await opens_nothing(scene, forger.token(key=STRANGER))
    await opens_nothing(scene, forger.token(key=generate_private_key(SECP256R1()), algorithm="ES256"))


@pytest.mark.parametrize("kid", KEY_IDS.values(), ids=KEY_IDS)
async def test_a_key_has_its_own_name_only(scene: Scene, forger: Forger, kid: Any) -> None:
    named = forger.token()
    head, body, signature = named.split(".")
    assert head != encoded(forger.head | {"kid": kid})
    if isinstance(kid, str):
        await opens_nothing(scene, forger.token({"kid": kid}))
    await opens_nothing(scene, f"{encoded(forger.head | {'kid': kid})}.{body}.{signature}")


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
async def test_a_right_signature_under_wrong_claims_opens_nothing(
    scene: Scene, forger: Forger, claims: Json
) -> None:
    await opens_nothing(scene, forger.token(**claims))


@pytest.mark.parametrize("claims", [{"role": "admin"}, {"sub": str(uuid4())}, {"exp": 2**40}])
async def test_claims_are_not_changed_under_an_old_signature(scene: Scene, claims: Json) -> None:
    head, body, signature = scene.near.client.token.split(".")
    changed = jwt.decode(scene.near.client.token, options={"verify_signature": False}) | claims
    assert encoded(changed) != body
    await opens_nothing(scene, f"{head}.{encoded(changed)}.{signature}")


CRITICAL: dict[str, Json] = {
    "unknown": {"crit": ["bound"], "bound": "x"},
    "unknown beside a known one": {"crit": ["b64", "bound"], "b64": True, "bound": "x"},
    "of the standard itself": {"crit": ["kid"]},
    "not there": {"crit": ["bound"]},
    "an empty list": {"crit": []},
    "no list": {"crit": "bound", "bound": "x"},
    "no names": {"crit": [1]},
    "null": {"crit": None},
    "a body that is not encoded": {"crit": ["b64"], "b64": False},
}


@pytest.mark.parametrize("head", CRITICAL.values(), ids=CRITICAL)
async def test_what_a_token_says_is_critical_is_not_passed_over(
    scene: Scene, forger: Forger, head: Json
) -> None:
    """RFC 7515, 4.1.11; each is signed with the right key."""
    await opens_nothing(scene, forger.with_head(head, forger.signed))


async def test_a_token_sends_nobody_to_fetch_a_key(scene: Scene, forger: Forger) -> None:
    calls: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
        own = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
        for header in ({"jku": here}, {"x5u": here}, {"jwk": own}, {"x5c": ["MIIB"]}):
            for kid in ("theirs", here, forger.head["kid"]):
                await opens_nothing(scene, forger.token({"kid": kid, **header}, key=STRANGER))
    assert not calls


@pytest.mark.parametrize("name", ["access_token", "token", "jwt", "authorization", "bearer"])
async def test_a_token_counts_in_its_own_header_only(scene: Scene, name: str) -> None:
    """Addresses stand in logs, and cookies come along from any page."""
    token = scene.admin.token
    visitor = scene.system.visitor()
    for request in (
        {"params": {name: token}},
        {"params": {name: f"Bearer {token}"}},
        {"headers": {"Cookie": f"{name}={token}"}},
        {"headers": {f"X-{name.replace('_', '-')}": f"Bearer {token}"}},
        {"headers": {"Proxy-Authorization": f"Bearer {token}"}},
    ):
        refused(await visitor.ask("GET", "/me", **request), 401, "not_signed_in")
        streamed = await visitor.http.get("/stream", **request)
        refused(streamed, 401, "not_signed_in")


async def test_two_tokens_are_none(scene: Scene) -> None:
    """What stands before the edge may have looked at the other one."""
    client, admin = (f"Bearer {who.token}" for who in (scene.near.client, scene.admin))
    for given in ((client, admin), (admin, client), (admin, admin), ("", admin), (admin, "")):
        headers = [("Authorization", one) for one in given]
        answer = await scene.system.http.get("/api/users", headers=headers)
        refused(answer, 401, "not_signed_in")


async def test_a_token_is_good_for_its_own_purpose_only(system: System) -> None:
    lea = await system.client()
    link = await system.link("verify-email", lea)
    visitor = system.visitor()
    for token in (lea.refresh_token, link):
        answer = await visitor.ask("GET", "/me", headers={"Authorization": f"Bearer {token}"})
        refused(answer, 401, "not_signed_in")
    for token in (lea.token, link, lea.id):
        refused(await visitor.post("/auth/refresh", {"refresh_token": token}), 401, "not_signed_in")
    for token in (lea.token, lea.refresh_token, link):
        confirm = {"token": token, "password": "another good one"}
        refused(await visitor.post("/auth/password-reset/confirm", confirm), 410, "link_expired")


async def test_nobody_gives_themselves_what_is_not_theirs(system: System) -> None:
    lea = await system.client()
    mine = {"role": "admin", "status": "active", "id": str(uuid4()), "email_verified": True, "version": 9}
    assert wrong_fields(await lea.ask("PATCH", "/me", json={"phone": None} | mine)) == mine.keys()
    new = {"email": f"{uuid4()}@example.com", "password": PASSWORD, "name": "Léa"}
    answer = await system.visitor().post("/auth/register", new | mine)
    assert wrong_fields(answer) == mine.keys()


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_method_is_what_it_says(scene: Scene, name: str) -> None:
    lea = scene.near.client
    assert done(await lea.ask("GET", "/me", headers={name: "DELETE"}))["id"] == lea.id
    claim = scene.near.records["reclamation"]
    answer = await lea.ask("POST", f"/reclamations/{claim}", headers={name: "GET"})
    refused(answer, 405, "method_not_allowed")
    refused(await lea.ask("GET", "/me/totp", headers={name: "DELETE"}), 405, "method_not_allowed")


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Uri"])
async def test_a_path_is_what_it_says(scene: Scene, name: str) -> None:
    lea = scene.near.client
    assert done(await lea.ask("GET", "/me", headers={name: "/api/articles"}))["id"] == lea.id
    refused(await lea.ask("GET", "/users", headers={name: "/api/me"}), 403, "not_allowed")


async def test_a_host_that_the_caller_names_stands_in_no_answer(scene: Scene) -> None:
    """Nor would it in a link of a message: those are written by services that no request reaches."""
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Server"):
        opening = {"article": "Évier", "problem_type": "leak", "description": "fuite"}
        answer = await scene.near.client.ask(
            "POST", "/reclamations", json=opening, headers={name: "evil.test"}
        )
        assert done(answer, 201)
        assert "evil.test" not in f"{answer.headers} {answer.text}"
        assert answer.headers["location"].startswith("/api/")
        page = await scene.system.http.get("/", headers={name: "evil.test"})
        assert "evil.test" not in page.headers["location"]


async def test_no_answer_sets_a_cookie_or_allows_one(system: System) -> None:
    lea = await system.client()
    for answer in (
        await system.visitor().post("/auth/login", {"email": lea.email, "password": PASSWORD}),
        await lea.ask("GET", "/me", headers={"Origin": "https://evil.test"}),
    ):
        done(answer)
        assert not {"set-cookie", "access-control-allow-credentials"} & answer.headers.keys()


# --- what is told to somebody who looks for addresses


Asking = Callable[[str], tuple[str, Json]]
ASKED: dict[str, Asking] = {
    "signing up": lambda email: (
        "/auth/register",
        {"email": email, "password": "a password of four words", "name": "Zoé Petit"},
    ),
    "signing in": lambda email: ("/auth/login", {"email": email, "password": "not the password"}),
    "a forgotten password": lambda email: ("/auth/password-reset", {"email": email}),
    "an address to confirm": lambda email: ("/auth/verify-email/resend", {"email": email}),
}
# What no two answers have in common.
OWN = {"x-request-id", "idempotency-key", "date", "ratelimit"}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a password was hashed: what takes long enough to be seen from outside."""
    spent: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def hash(self, password: str) -> str:
            spent.append("hash")
            return hasher.hash(password)

        def verify(self, hash: str, password: str) -> bool:
            spent.append("hash")
            return hasher.verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return spent


@pytest.mark.parametrize("asking", ASKED.values(), ids=ASKED)
async def test_nobody_learns_who_has_an_account(scene: Scene, asking: Asking, work: list[str]) -> None:
    """By the answer, its headers, or how long it takes."""
    system = scene.system
    known, confirmed, barred = await system.client(), await system.client(), await system.client()
    done(
        await system.visitor().post(
            "/auth/verify-email", {"token": await system.link("verify-email", confirmed)}
        )
    )
    done(await scene.admin.post(f"/users/{barred.id}/deactivate"))
    invited, _ = await system.invited("technician")  # type: ignore[arg-type]
    answers = []
    for email in (f"{uuid4()}@example.com", known.email, confirmed.email, barred.email, invited):
        work.clear()
        path, body = asking(email)
        answer = await system.visitor().post(path, body)
        headers = {name: value for name, value in answer.headers.items() if name not in OWN}
        answers.append((answer.status_code, answer.content, headers, len(work)))
    assert all(one == answers[0] for one in answers), answers
    assert answers[0][0] in (202, 401)


async def test_guessing_one_persons_password_waits_wherever_it_comes_from(system: System) -> None:
    """And neither keeps them out of where they are known, nor anybody else out of anywhere."""
    lea, paul = await system.client(), await system.client()
    home = {"address": "198.51.100.77"}
    right = {"email": lea.email, "password": PASSWORD}
    done(await system.http.post("/api/auth/login", json=right, extensions=home))
    for number in range(FREE_FOR_ACCOUNT):
        wrong = {"email": lea.email, "password": f"guess number {number}"}
        refused(await system.visitor().post("/auth/login", wrong), 401, "not_signed_in")
    waits = await system.visitor().post("/auth/login", right)
    refused(waits, 429, "too_many_attempts")
    assert int(waits.headers["retry-after"]) >= 1
    done(await system.http.post("/api/auth/login", json=right, extensions=home))
    assert (await system.sign_in(paul.email)).id == paul.id


# --- what two servers could read in two ways


@pytest.fixture(scope="module")
async def server(scene: Scene) -> AsyncIterator[Settings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = scene.system.settings.model_copy(update={"edge_port": port})
    async with listening(settings):
        yield settings


async def told(server: Settings, said: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.edge_port)
    try:
        writer.write(said)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


HIDDEN = b"GET /openapi.json HTTP/1.1\r\nHost: sav.test\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN
POST = b"POST /api/auth/verify-email/resend HTTP/1.1\r\nHost: sav.test\r\nContent-Type: application/json\r\n"


def framed(*headers: bytes) -> bytes:
    return POST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


LENGTH = b"Content-Length: %d" % len(CHUNKED)
TWO_WAYS = {
    "a length and chunks": framed(LENGTH, b"Transfer-Encoding: chunked") + CHUNKED,
    "chunks and a length": framed(b"Transfer-Encoding: chunked", LENGTH) + CHUNKED,
    "two lengths": framed(LENGTH, b"Content-Length: 5") + CHUNKED,
    "a list of lengths": framed(LENGTH + b", 5") + CHUNKED,
    "a length with a sign": framed(b"Content-Length: +5") + CHUNKED,
    "a length in hex": framed(b"Content-Length: 0x5") + CHUNKED,
    "a length below nothing": framed(b"Content-Length: -5") + CHUNKED,
    "a length beyond measure": framed(b"Content-Length: 18446744073709551621") + CHUNKED,
    "other chunks": framed(b"Transfer-Encoding: xchunked", LENGTH) + CHUNKED,
    "chunks, then not": framed(b"Transfer-Encoding: chunked, identity", LENGTH) + CHUNKED,
    "chunks twice": framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", LENGTH) + CHUNKED,
    "a space before the colon": framed(b"Transfer-Encoding : chunked", LENGTH) + CHUNKED,
    "a folded line": framed(b"Transfer-Encoding:\r\n chunked", LENGTH) + CHUNKED,
    "a size of chunk that is none": framed(b"Transfer-Encoding: chunked") + b"0x0\r\n\r\n" + HIDDEN,
    "a line that ends early": framed(b"X: a\nTransfer-Encoding: chunked", LENGTH) + CHUNKED,
}


@pytest.mark.parametrize("sent", TWO_WAYS.values(), ids=TWO_WAYS)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(server: Settings, sent: bytes) -> None:
    answer = await told(server, sent)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1, "the hidden request was answered"


PATHS = (
    "//api/users",
    "/api//users",
    "/api/./users",
    "/api/me/../users",
    "/api/me/%2e%2e/users",
    "/api/me/%2e%2e%2fusers",
    "/api/me/..%2fusers",
    "/api/me/..;/users",
    "/api/users;x=1",
    "/api/users%3bx=1",
    "/api/users/",
    "/api/users//",
    "/api/users%2f",
    "/api/users%00",
    "/api/users%20",
    "/api/users.json",
    "/api/users/.",
    "/api/%75sers",
    "/api/%2575sers",
    "/API/users",
    "/api/Users",
    "/api\\users",
    "http://sav.test/api/users",
    "/docs/../api/users",
    "/docs/assets/../../api/users",
    "/docs/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/docs/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/docs/assets//etc/passwd",
    "/schemas/..%2f..%2fpyproject.toml",
    "/schemas/%2e%2e/openapi.json",
)


@pytest.mark.parametrize("path", PATHS)
async def test_no_way_of_writing_a_path_gets_around_its_role(
    server: Settings, scene: Scene, path: str
) -> None:
    """They lead to the row and its refusal, or nowhere."""
    line = f"GET {path} HTTP/1.1\r\nHost: sav.test\r\nConnection: close\r\n"
    answer = await told(server, f"{line}Authorization: Bearer {scene.near.client.token}\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"404"), answer[:300]
    assert b"root:" not in answer
    assert b'"items"' not in answer


async def test_the_same_paths_written_plainly_are_refused_by_role(server: Settings, scene: Scene) -> None:
    """What those differ from: without it, nothing would be refused for its role."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.edge_port}") as http:
        refused(await http.get("/api/users", headers=scene.near.client.headers()), 403, "not_allowed")
        assert done(await http.get("/api/users", headers=scene.admin.headers()))["items"]


def test_the_page_on_security_names_tests_that_there_are() -> None:
    page = (REPO / "docs" / "security.md").read_text()
    files = set(re.findall(r"`(\w+/test_\w+\.py)`", page))
    assert files
    assert not [name for name in files if not (REPO / "tests" / name).exists()]
    for file, name in re.findall(r"`(\w+/test_\w+\.py)`: `(test_\w+)`", page):
        assert f"def {name}(" in (REPO / "tests" / file).read_text()
