"""Tokens: who a caller is, signed by auth and verified again by everybody who acts on it."""

import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
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

ISSUER = "sav"
AUDIENCE = "sav"
ACCESS_SECONDS = 15 * 60
REMEMBERED_TOKENS = 10_000


def new_key() -> tuple[str, dict[str, str]]:
    """A new Ed25519 signing key (PEM), and the public keys (key id to PEM) that verify it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private, {_key_id(key.public_key()): public}


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


class Signer:
    """Makes access tokens; only auth (and the seeding of demo people) holds one."""

    def __init__(self, private_pem: str) -> None:
        key = load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("SAV_SIGNING_KEY must be an Ed25519 private key in PEM form")
        self._key = key
        self.key_id = _key_id(key.public_key())

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
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self.key_id})


class Verifier:
    """Turns a token into the actor it was signed for; remembers what it verified until the token expires."""

    def __init__(self, public_pems: dict[str, str]) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        for pem in public_pems.values():
            key = load_pem_public_key(pem.encode())
            if not isinstance(key, Ed25519PublicKey):
                raise TypeError("SAV_PUBLIC_KEYS must hold Ed25519 public keys in PEM form")
            self._keys[_key_id(key)] = key
        self._known: dict[str, tuple[Actor, int]] = {}

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def actor(self, token: str) -> Actor:
        """The caller; `NotSignedIn` where the token is not ours, altered or expired."""
        known = self._known.get(token)
        if known and known[1] > time.time():
            return known[0]
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise NotSignedIn("the token is not valid")
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "sub"]},
            )
            actor = Actor(id=claims["sub"], role=claims["role"], session=claims.get("sid"))
        except jwt.ExpiredSignatureError:
            raise NotSignedIn("the token has expired") from None
        except (jwt.PyJWTError, ValidationError, KeyError, TypeError):
            raise NotSignedIn("the token is not valid") from None
        if len(self._known) >= REMEMBERED_TOKENS:
            self._known.clear()
        self._known[token] = (actor, claims["exp"])
        return actor


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
