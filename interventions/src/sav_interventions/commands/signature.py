"""Signatures that were given offline: the pictures come first, and acts name them by hash."""

from uuid import UUID

from sqlalchemy import func, select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.act import KeepSignature, KeptSignature, SignThen
from sav_interventions.app import interventions
from sav_interventions.model import Intervention, Signature

# How many pictures of signatures are kept for one visit.
MOST = 10


class TooManySignatures(Conflict):
    """As many signatures were sent for this visit as are kept."""

    code = "too_many_signatures"
    most: int = MOST
    en = "{most} signatures were sent for this visit already"
    fr = "{most} signatures ont déjà été envoyées pour cette intervention"


class SignatureUnknown(WrongField):
    field: str = "sign.signature"
    en = "no picture with this hash was sent for this visit: send it first"
    fr = "aucune image avec cette empreinte n’a été envoyée pour cette intervention\N{NO-BREAK SPACE}: envoyez-la d’abord"


@interventions.command(KeepSignature)
async def keep_signature(cmd: KeepSignature, tx: Tx, by: Actor) -> KeptSignature:
    """Keep the picture for an act that will name it. The visit may still be planned here: its acts come later."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    file = cmd.signature
    if await _kept(visit.id, file.sha256, tx) is None:
        if await _number(visit.id, tx) >= MOST:
            raise TooManySignatures
        tx.add(Signature(intervention_id=visit.id, sha256=file.sha256, file=file, kept_at=tx.now))
    return KeptSignature(sha256=file.sha256)


async def signature_of(signed: SignThen, tx: Tx) -> StoredFile | None:
    """The picture that an act names; None where the client refused to sign. `SignatureUnknown` where it has not come."""
    if signed.signature is None:
        return None
    kept = await _kept(signed.intervention_id, signed.signature, tx)
    if kept is None:
        raise SignatureUnknown
    return kept.file


async def _kept(visit_id: UUID, sha256: str, tx: Tx) -> Signature | None:
    return await tx.session.get(Signature, (visit_id, sha256))


async def _number(visit_id: UUID, tx: Tx) -> int:
    counted = select(func.count()).select_from(Signature).where(Signature.intervention_id == visit_id)
    return await tx.session.scalar(counted) or 0
