"""Tokens and links: only what we signed, for as long and for what we signed it."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import jwt
import pytest
import world
from hypothesis import given
from hypothesis import strategies as st
from toy import Fill
from toy_asking import ask

from sav_chassis.errors import NotSignedIn
from sav_chassis.identity import AUDIENCE, ISSUER, Links, Signer, Verifier, new_key
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor

PRIVATE, PUBLIC = new_key()
FOREIGN, FOREIGN_PUBLIC = new_key()
JWK = Verifier(FOREIGN_PUBLIC).jwks()["keys"][0]
GRANT = UUID(int=42)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(world.lea.id),
        "role": "client",
        "iat": now,
        "iat_ms": now * 1000,
        "exp": now + 60,
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(key: str = PRIVATE, algorithm: str = "EdDSA", kid: str | None = None, **changed: Any) -> str:
    headers = {"kid": kid or next(iter(PUBLIC))}
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers=headers)


def altered(token: str) -> str:
    """Another role under the same signature."""
    head, body, signature = token.split(".")
    told = urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b'"client"', b'"admin"')
    return ".".join((head, urlsafe_b64encode(told).decode().rstrip("="), signature))


FORGED = {
    "no token at all": "",
    "nonsense": "nonsense",
    "three parts of nonsense": "a.b.c",
    "altered": altered(signed()),
    "without signature": signed().rsplit(".", 1)[0] + ".",
    "alg none": jwt.encode(claims(), "", algorithm="none", headers={"kid": next(iter(PUBLIC))}),
    "signed with the public key as a secret": jwt.encode(
        claims(), "x" * 32, algorithm="HS256", headers={"kid": next(iter(PUBLIC))}
    ),
    "another key under our key id": signed(FOREIGN),
    "another key": signed(FOREIGN, kid=next(iter(FOREIGN_PUBLIC))),
    "no key id": jwt.encode(claims(), PRIVATE, algorithm="EdDSA"),
    "expired": signed(exp=int(time.time()) - 1),
    "without expiry": signed(exp=None),
    "without its time": signed(iat_ms=None),
    "without subject": signed(sub=None),
    "without role": signed(role=None),
    "a role that is none": signed(role="king"),
    "a subject that is no id": signed(sub="lea"),
    "for another audience": signed(aud="other"),
    "of another issuer": signed(iss="other"),
}


def test_what_the_signer_signed_says_who_it_is() -> None:
    session = UUID(int=5)
    lea = world.lea.model_copy(update={"session": session})
    assert timeless(Verifier(PUBLIC).actor(Signer(PRIVATE).token(lea))) == lea
    assert timeless(Verifier(PUBLIC).actor(signed())) == world.lea


def timeless(actor: Actor) -> Actor:
    """Who it is, whenever their token was made."""
    assert actor.issued_at
    return actor.model_copy(update={"issued_at": None})


@pytest.mark.parametrize("header", ["jku", "x5u", "jwk"])
def test_a_token_cannot_bring_its_own_key(header: str) -> None:
    named = {"jku": "https://evil.test/jwks.json", "x5u": "https://evil.test/x5u", "jwk": JWK}[header]
    forged = jwt.encode(claims(), FOREIGN, algorithm="EdDSA", headers={"kid": "evil", header: named})
    with pytest.raises(NotSignedIn):
        Verifier(PUBLIC).actor(forged)


def test_the_keys_are_published_as_a_jwk_set() -> None:
    [key] = Verifier(PUBLIC).jwks()["keys"]
    assert jwt.PyJWK(key).key_id == next(iter(PUBLIC))
    assert jwt.decode(signed(), jwt.PyJWK(key), algorithms=["EdDSA"], audience=AUDIENCE)["sub"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}


def test_of_several_keys_the_first_signs() -> None:
    assert Signer(FOREIGN + PRIVATE).key_id == next(iter(FOREIGN_PUBLIC))
    assert [signer.key_id for signer in Signer.each(FOREIGN + PRIVATE)] == [*FOREIGN_PUBLIC, *PUBLIC]


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_token_that_is_not_ours_is_nobodys(token: str) -> None:
    with pytest.raises(NotSignedIn):
        Verifier(PUBLIC).actor(token)


def test_a_remembered_token_expires_like_any_other() -> None:
    verifier, token = Verifier(PUBLIC), Signer(PRIVATE).token(world.lea, seconds=1)
    assert timeless(verifier.actor(token)) == world.lea
    time.sleep(1.1)
    with pytest.raises(NotSignedIn):
        verifier.actor(token)


@pytest.mark.parametrize("name", ["nonsense", "another key", "alg none", "altered"])
async def test_a_command_with_such_a_token_is_refused(stage: Stage, name: str) -> None:
    forged = ask(stage, Fill(box_id=UUID(int=100)), token=FORGED[name])
    problem = (await stage.command_server.answer(forged)).problem
    assert problem
    assert (problem.status, problem.code) == (401, "not_signed_in")


async def test_a_command_with_an_expired_token_is_refused(stage: Stage) -> None:
    token = Signer(stage.settings.signing_key).token(world.lea, seconds=-1)
    problem = (await stage.command_server.answer(ask(stage, Fill(box_id=UUID(int=100)), token=token))).problem
    assert problem
    assert problem.status == 401


@given(grant=st.uuids(), purpose=st.text(max_size=20))
def test_a_link_gives_back_its_grant(grant: UUID, purpose: str) -> None:
    links = Links("a secret")
    assert links.grant(purpose, links.token(purpose, grant)) == grant


@given(place=st.integers(0, 47), bit=st.integers(0, 7))
def test_a_link_with_one_bit_changed_gives_nothing(place: int, bit: int) -> None:
    links = Links("a secret")
    raw = bytearray(urlsafe_b64decode(links.token("invitation", GRANT)))
    raw[place] ^= 1 << bit
    assert links.grant("invitation", urlsafe_b64encode(bytes(raw)).decode().rstrip("=")) is None


def test_a_link_for_another_purpose_or_of_another_secret_gives_nothing() -> None:
    token = Links("a secret").token("invitation", GRANT)
    assert Links("a secret").grant("feedback", token) is None
    assert Links("another secret").grant("invitation", token) is None


@given(token=st.text(max_size=80))
def test_nonsense_is_no_link(token: str) -> None:
    assert Links("a secret").grant("invitation", token) is None
