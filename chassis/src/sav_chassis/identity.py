"""Tokens: auth signs who a caller is, and every service that acts on it verifies the signature."""

import hashlib
import hmac
import math
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import ValidationError

from sav_chassis.errors import NotSignedIn, SessionOver
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SigningKeyView

ISSUER = "sav"
AUDIENCE = "sav"
ACCESS_SECONDS = 15 * 60
# Seconds after which no earlier token is still valid, even where clocks differ a little.
OUTLIVED = ACCESS_SECONDS + 5 * 60
REMEMBERED_TOKENS = 10_000
BEGIN = "-----BEGIN PRIVATE KEY-----"


class TokenExpired(NotSignedIn):
    en = "The token has expired"
    fr = "Le jeton a expiré"


class TokenNotValid(NotSignedIn):
    en = "The token is not valid"
    fr = "Le jeton n’est pas valable"


class UnknownKey(TokenNotValid):
    """The token was signed with a key that is unknown here."""


def new_key() -> tuple[str, dict[str, str]]:
    """A new Ed25519 signing key (PEM), and the public keys (key id to PEM) that verify it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, {_key_id(key.public_key()): _public_pem(key)}


def _public_pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def blocks(private_pems: str) -> list[str]:
    """The PEM blocks of the keys, in their order."""
    return [BEGIN + block for block in private_pems.split(BEGIN)[1:]]


class Signer:
    """Makes access tokens with the first key, the newest. Only auth (and the seeding of demo people) has one."""

    def __init__(self, private_pems: str) -> None:
        key = load_pem_private_key("".join(blocks(private_pems)[:1]).encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("SAV_SIGNING_KEY must hold Ed25519 private keys in PEM form")
        self._key = key
        self.key_id = _key_id(key.public_key())
        self.public_pem = _public_pem(key)

    @classmethod
    @cache
    def each(cls, private_pems: str) -> "tuple[Signer, ...]":
        """A signer for each key, in their order: the newest first."""
        return tuple(cls(block) for block in blocks(private_pems))

    def token(self, actor: Actor, seconds: int = ACCESS_SECONDS) -> str:
        """A signed token for `actor`, valid for `seconds` from now."""
        now = time.time()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(actor.id),
            "role": actor.role.value,
            "sid": str(actor.session) if actor.session else None,
            "iat": int(now),
            "iat_ms": int(now * 1000),
            "exp": int(now) + seconds,
            "enrolling": actor.enrolling,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self.key_id})


class Verifier:
    """Turns a token into the actor it was signed for. Remembers verified tokens until they expire.

    It knows the keys of the settings, and those it learned later.
    """

    def __init__(self, public_pems: dict[str, str]) -> None:
        self._given = {id: (key, math.inf) for id, key in map(_loaded, public_pems.values())}
        # Each key, and the time until which its tokens are accepted.
        self._keys: Mapping[str, tuple[Ed25519PublicKey, float]] = self._given
        self._known: dict[str, tuple[Actor, float]] = {}
        # Revoked sessions and users, with the time before which their tokens are refused.
        self.revoked: Mapping[UUID, datetime] = {}

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def learn(self, announced: Iterable[SigningKeyView]) -> None:
        """Adds announced keys to those of the settings. Older ones expire once no token signed with them is valid."""
        keys: dict[str, tuple[Ed25519PublicKey, float]] = {}
        until = math.inf
        for view in sorted(announced, key=lambda view: view.created_at, reverse=True):
            id, key = _loaded(view.pem)
            keys[id] = key, until
            until = min(until, view.created_at.timestamp() + OUTLIVED)
        keys |= self._given
        if keys != self._keys:
            self._keys = keys
            self._known.clear()

    def actor(self, token: str) -> Actor:
        """The caller; `NotSignedIn` where the token is not ours, altered, expired or revoked."""
        known = self._known.get(token)
        actor = known[0] if known and known[1] > time.time() else self._verified(token)
        if self.revoked and self._is_revoked(actor):
            raise SessionOver
        return actor

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The keys as a JWK Set (RFC 7517; RFC 8037 for Ed25519)."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": urlsafe_b64encode(_raw(key)).decode().rstrip("="),
                    "kid": id,
                    "use": "sig",
                    "alg": "EdDSA",
                }
                for id, (key, until) in self._keys.items()
                if until > time.time()
            ]
        }

    def _is_revoked(self, actor: Actor) -> bool:
        ends = self.revoked.get(actor.id), actor.session and self.revoked.get(actor.session)
        return any(end and actor.issued_at and actor.issued_at < end for end in ends)

    def _verified(self, token: str) -> Actor:
        try:
            key, until = self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "sub"]},
            )
            actor = _actor(claims)
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.PyJWTError, ValidationError, KeyError, TypeError, ValueError):
            raise TokenNotValid from None
        if len(self._known) >= REMEMBERED_TOKENS:
            self._known.clear()
        self._known[token] = actor, min(claims["exp"], until)
        return actor

    def _key(self, key_id: str) -> tuple[Ed25519PublicKey, float]:
        key, until = self._keys.get(key_id, (None, 0.0))
        if key is None or until <= time.time():
            raise UnknownKey
        return key, until


def _actor(claims: dict[str, Any]) -> Actor:
    issued_at = datetime.fromtimestamp(claims["iat_ms"] / 1000, UTC)
    return Actor(
        id=claims["sub"],
        role=claims["role"],
        session=claims.get("sid"),
        issued_at=issued_at,
        enrolling=claims.get("enrolling", False),
    )


def _loaded(public_pem: str) -> tuple[str, Ed25519PublicKey]:
    key = load_pem_public_key(public_pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("SAV_PUBLIC_KEYS must hold Ed25519 public keys in PEM form")
    return _key_id(key), key


class Links:
    """Signs the id of a grant into a link and reads it back, so that no event holds a secret."""

    # Characters of every token: 48 bytes in base64.
    LENGTH = 64

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def token(self, purpose: str, grant_id: UUID) -> str:
        """The token for the link. The owner of the grant checks expiry and single use."""
        return urlsafe_b64encode(grant_id.bytes + self._mac(purpose, grant_id)).decode().rstrip("=")

    def grant(self, purpose: str, token: str) -> UUID | None:
        """The grant's id, or None where the token was not signed for this purpose."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        if len(raw) != 16 + hashlib.sha256().digest_size:
            return None
        grant_id = UUID(bytes=raw[:16])
        return grant_id if hmac.compare_digest(raw[16:], self._mac(purpose, grant_id)) else None

    def _mac(self, purpose: str, grant_id: UUID) -> bytes:
        return hmac.digest(self._secret, purpose.encode() + b"\0" + grant_id.bytes, "sha256")
