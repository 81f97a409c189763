"""Tokens: who a caller is, signed by auth and verified again by everybody who acts on it."""

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

from sav_chassis.errors import NotSignedIn
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SigningKeyView

ISSUER = "sav"
AUDIENCE = "sav"
ACCESS_SECONDS = 15 * 60
# Seconds after which no token is valid any more that was issued before, wherever clocks are off a little.
OUTLIVED = ACCESS_SECONDS + 5 * 60
REMEMBERED_TOKENS = 10_000
BEGIN = "-----BEGIN PRIVATE KEY-----"


class UnknownKey(NotSignedIn):
    """The token was signed with a key that is not known here."""

    def __init__(self) -> None:
        super().__init__("the token is not valid")


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
    """The keys one by one."""
    return [BEGIN + block for block in private_pems.split(BEGIN)[1:]]


class Signer:
    """Makes access tokens with the first key, the newest; only auth (and the seeding of demo people) holds one."""

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
        """One for each key, in their order: the newest first."""
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
    """Turns a token into the actor it was signed for; remembers what it verified until the token expires.

    It knows the keys that it was given, and those that it was told of since.
    """

    def __init__(self, public_pems: dict[str, str]) -> None:
        self._given = {id: (key, math.inf) for id, key in map(_loaded, public_pems.values())}
        # Each key, and until when tokens that it signed are taken.
        self._keys: Mapping[str, tuple[Ed25519PublicKey, float]] = self._given
        self._known: dict[str, tuple[Actor, float]] = {}
        # Before when tokens were issued that are refused now, by session or person.
        self.revoked: Mapping[UUID, datetime] = {}

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def learn(self, announced: Iterable[SigningKeyView]) -> None:
        """Takes these keys beside those it was given; any but the newest until no token of theirs is valid."""
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
            raise NotSignedIn("the session has ended")
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
            raise NotSignedIn("the token has expired") from None
        except (jwt.PyJWTError, ValidationError, KeyError, TypeError, ValueError):
            raise NotSignedIn("the token is not valid") from None
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
    """Signs a grant's id into a link and reads it back, so that no event ever holds a secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def token(self, purpose: str, grant_id: UUID) -> str:
        """What stands in the link; expiry and single use are kept by the grant's owner."""
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
