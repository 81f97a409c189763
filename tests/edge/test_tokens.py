"""Tokens that somebody forged, changed, or sends by another way open nothing."""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from recipes import Scene
from stories import Json, done, refused
from system import System

from sav_chassis.identity import new_key
from sav_contracts.auth.account import InviteUser

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
    requests: tuple[dict[str, Any], ...] = (
        {"params": {name: token}},
        {"params": {name: f"Bearer {token}"}},
        {"headers": {"Cookie": f"{name}={token}"}},
        {"headers": {f"X-{name.replace('_', '-')}": f"Bearer {token}"}},
        {"headers": {"Proxy-Authorization": f"Bearer {token}"}},
    )
    for request in requests:
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
