"""Photos of the fault and of the work."""

from sqlalchemy import func, select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_claims.answers import answered_by_client
from sav_claims.app import claims
from sav_claims.merging import check_not_merged
from sav_claims.model import Photo, Reclamation
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.photo import MAX_PHOTOS, AddPhotos, PhotoAdded, Photos
from sav_contracts.claims.reclamation import OVER, PhotosAdded
from sav_contracts.labels import label
from sav_contracts.sentences import Text


class ReclamationOver(Conflict):
    """The réclamation is over and takes no more photos."""

    code = "reclamation_over"
    reference: str
    state: Text
    en = "{reference} is {state}: it takes no more photos"
    fr = "{reference} est à l’état « {state} » : on ne peut plus y ajouter de photos"


class TooManyPhotos(Conflict):
    """A réclamation has as many photos as it may have."""

    code = "too_many_photos"
    reference: str
    there: int
    most: int = MAX_PHOTOS
    en = "{reference} has {there} photos already; {most} are the most"
    fr = "{reference} compte déjà {there} photos ; le maximum est de {most}"


@claims.command(AddPhotos)
async def add_photos(cmd: AddPhotos, tx: Tx, by: Actor) -> Photos:
    """Add photos of the fault or of the work."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    await check_not_merged(reclamation, tx)
    if reclamation.status in OVER:
        raise ReclamationOver(reference=reclamation.reference, state=label(reclamation.status))
    there = (
        await tx.session.scalar(
            select(func.count()).select_from(Photo).where(Photo.reclamation_id == reclamation.id)
        )
        or 0
    )
    if there + len(cmd.photos) > MAX_PHOTOS:
        raise TooManyPhotos(reference=reclamation.reference, there=there)
    photos = [
        tx.add(Photo(id=tx.new_id(), reclamation_id=reclamation.id, file=file, by=by.role))
        for file in cmd.photos
    ]
    for photo in photos:
        tx.emit(photo, PhotoAdded())
    looked_at = by.role is Role.CLIENT and reclamation.status in ("qualified", "resolved")
    answers = await answered_by_client(reclamation, tx, by)
    if answers or looked_at:
        tx.emit(reclamation, PhotosAdded(number=len(photos), answers=answers))
    return Photos(items=[photo.view() for photo in photos])
