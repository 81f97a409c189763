"""Photos of a visit."""

from collections.abc import Sequence

from sqlalchemy import select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import ReportPhoto
from sav_contracts.interventions.visit_photo import (
    MAX_VISIT_PHOTOS,
    AddVisitPhotos,
    VisitPhotoAdded,
    VisitPhotoChanged,
    VisitPhotos,
)
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions.app import interventions
from sav_interventions.effects import prepare_photo
from sav_interventions.lifecycle import NOBODY_CAME
from sav_interventions.model import Intervention, VisitPhoto


class NothingToShow(Conflict):
    """Nobody came, so there are no photos of the visit."""

    code = "nothing_to_show"
    state: Text
    en = "The visit is {state}: there is nothing to take a photo of"
    fr = "L’intervention est à l’état « {state} » : il n’y a rien à photographier"


class TooManyVisitPhotos(Conflict):
    """A visit has as many photos as it may have."""

    code = "too_many_visit_photos"
    there: int
    most: int = MAX_VISIT_PHOTOS
    en = "This visit has {there} photos already; {most} are the most"
    fr = "Cette intervention compte déjà {there} photos ; le maximum est de {most}"


class NoSuchPhoto(WrongField):
    en = "this visit has no such photo: add it first"
    fr = "cette intervention n’a pas cette photo : ajoutez-la d’abord"


@interventions.command(AddVisitPhotos)
async def add_visit_photos(cmd: AddVisitPhotos, tx: Tx, by: Actor) -> VisitPhotos:
    """Add photos of a visit. One with the same content as another of the visit is that one."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    if visit.status in NOBODY_CAME:
        raise NothingToShow(state=label(visit.status))
    photos = {photo.file.sha256: photo for photo in await _photos_of(visit, tx)}
    sent = {file.sha256: file for file in cmd.photos}
    if len(photos | sent) > MAX_VISIT_PHOTOS:
        raise TooManyVisitPhotos(there=len(photos))
    for sha256, file in sent.items():
        if sha256 not in photos:
            photos[sha256] = _added(file, visit, tx, by)
    return VisitPhotos(items=[photos[sha256].view() for sha256 in sent])


def _added(file: StoredFile, visit: Intervention, tx: Tx, by: Actor) -> VisitPhoto:
    photo = tx.add(
        VisitPhoto(
            id=tx.new_id(),
            intervention_id=visit.id,
            reclamation_id=visit.reclamation_id,
            file=file,
            by=by.role,
            shown=False,
        )
    )
    tx.emit(photo, VisitPhotoAdded())
    tx.later(prepare_photo, photo.id)
    return photo


async def named_photos(visit: Intervention, hashes: Sequence[str], tx: Tx) -> list[ReportPhoto]:
    """The photos of a visit that a report names, each once; raises `NoSuchPhoto` for another one."""
    if not hashes:
        return []
    photos = {photo.file.sha256: photo for photo in await _photos_of(visit, tx)}
    for number, sha256 in enumerate(hashes):
        if sha256 not in photos:
            raise NoSuchPhoto(field=f"photos.{number}")
    named = [photos[sha256] for sha256 in dict.fromkeys(hashes)]
    return [ReportPhoto(photo_id=photo.id, file=photo.file) for photo in named]


async def show_photos(named: Sequence[ReportPhoto], tx: Tx) -> None:
    """From now on their client sees the photos that a validated report names."""
    ids = [photo.photo_id for photo in named]
    hidden = select(VisitPhoto).where(VisitPhoto.id.in_(ids), ~VisitPhoto.shown)
    for photo in await tx.session.scalars(hidden.order_by(VisitPhoto.id).with_for_update()):
        photo.shown = True
        tx.emit(photo, VisitPhotoChanged())


async def _photos_of(visit: Intervention, tx: Tx) -> Sequence[VisitPhoto]:
    """All of them, oldest first. Whoever adds one has locked the visit."""
    of_visit = select(VisitPhoto).where(VisitPhoto.intervention_id == visit.id)
    return (await tx.session.scalars(of_visit.order_by(VisitPhoto.created_at, VisitPhoto.id))).all()
