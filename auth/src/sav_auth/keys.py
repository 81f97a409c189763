"""The keys that tokens are signed with: announced before they are used, so that everybody knows them by then."""

from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped

from sav_chassis.identity import Signer
from sav_chassis.model import Aggregate
from sav_chassis.tx import Tx
from sav_contracts.auth.policy import NAMESPACE, SigningKeyAdded, SigningKeyView

# What an event needs at most to get into every service's database.
KNOWN_AFTER = timedelta(seconds=5)
# The news of a key counts from when the broker has it.
KNOWN = text(
    """SELECT key.key_id FROM signing_key key WHERE key.created_at <= :announced_before AND NOT EXISTS (
        SELECT FROM outbox JOIN event_log USING (position) WHERE event_log.subject = key.id)"""
)


class SigningKey(Aggregate):
    """The public half of a key that was announced."""

    __tablename__ = "signing_key"

    key_id: Mapped[str]
    pem: Mapped[str]

    @classmethod
    def id_of(cls, key_id: str) -> UUID:
        return uuid5(NAMESPACE, key_id)

    def view(self) -> SigningKeyView:
        return SigningKeyView.model_validate(self, from_attributes=True)


async def announce(tx: Tx) -> None:
    """Tells everybody the keys of the settings, those that were not told yet; the newest last."""
    await tx.alone("signing keys")
    told = set(await tx.session.scalars(select(SigningKey.key_id)))
    for signer in reversed(Signer.each(tx.settings.signing_key)):
        if signer.key_id not in told:
            id = SigningKey.id_of(signer.key_id)
            tx.emit(SigningKeyAdded, tx.add(SigningKey(id=id, key_id=signer.key_id, pem=signer.public_pem)))


async def signer(tx: Tx) -> Signer:
    """Signs with the newest key that everybody knows, else with the oldest, which stands in everybody's settings."""
    signers = Signer.each(tx.settings.signing_key)
    if len(signers) > 1:
        known = set(await tx.session.scalars(KNOWN, {"announced_before": tx.now - KNOWN_AFTER}))
        signers = (*(one for one in signers[:-1] if one.key_id in known), signers[-1])
    return signers[0]
