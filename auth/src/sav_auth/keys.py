"""The keys that sign tokens: announced before they are used, so that every service knows them by then."""

from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from sav_chassis.identity import Signer
from sav_chassis.model import Aggregate
from sav_chassis.tx import Tx
from sav_contracts.auth.policy import NAMESPACE, SigningKeyAdded, SigningKeyView

# The longest time that an event takes to reach every service's database.
KNOWN_AFTER = timedelta(seconds=5)


class SigningKey(Aggregate[SigningKeyView]):
    """The public half of an announced key."""

    __tablename__ = "signing_key"

    key_id: Mapped[str]
    pem: Mapped[str]

    @classmethod
    def id_of(cls, key_id: str) -> UUID:
        return uuid5(NAMESPACE, key_id)


async def announce(tx: Tx) -> None:
    """Emits an event for each key of the settings that was not announced yet; the newest last."""
    await tx.lock("signing keys")
    announced = set(await tx.session.scalars(select(SigningKey.key_id)))
    for signer in reversed(Signer.each(tx.settings.signing_key)):
        if signer.key_id not in announced:
            id = SigningKey.id_of(signer.key_id)
            tx.emit(tx.add(SigningKey(id=id, key_id=signer.key_id, pem=signer.public_pem)), SigningKeyAdded())


async def signer(tx: Tx) -> Signer:
    """The newest key that every service knows; else the oldest, which is in the settings of all."""
    signers = Signer.each(tx.settings.signing_key)
    if len(signers) > 1:
        # A key counts as announced only once the broker has its event.
        announced = select(SigningKey).where(SigningKey.created_at <= tx.now - KNOWN_AFTER)
        known = {key.key_id for key in await tx.session.scalars(announced) if await tx.published(key)}
        signers = (*(one for one in signers[:-1] if one.key_id in known), signers[-1])
    return signers[0]
