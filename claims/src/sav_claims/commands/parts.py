"""The parts list of a réclamation: a technician lists, a manager validates."""

from uuid import UUID

from sav_chassis.errors import Conflict, RecordTooLarge, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.arrival import go_on
from sav_claims.lifecycle import UNDER_WAY
from sav_claims.model import Reclamation
from sav_claims.parts import relisted
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims.parts_list import (
    ListParts,
    PartsRequested,
    PartsValidated,
    ValidateParts,
)
from sav_contracts.claims.reclamation import ReclamationChanged
from sav_contracts.labels import label
from sav_contracts.parts import MOST_PARTS
from sav_contracts.sentences import Text

# Bytes of a réclamation with its parts. What later commands add to its events still fits then (`envelope.MAX_BODY`).
LARGEST = 20_000


class NotUnderWay(Conflict):
    """Parts are listed and validated while the réclamation is under way."""

    code = "no_parts_needed"
    reference: str
    state: Text
    en = "{reference} is {state}: parts are listed and validated while it is under way"
    fr = "{reference} est à l’état « {state} » : les pièces se demandent et se valident tant qu’elle est en cours"


class TooManyParts(Conflict):
    """The list would be too long, together with the parts that are built in."""

    code = "too_many_parts"
    reference: str
    most: int = MOST_PARTS
    en = "{reference} would have more than {most} kinds of parts, with those that are built in"
    fr = "{reference} compterait plus de {most} pièces différentes, avec celles déjà posées"


class AnotherList(Conflict):
    """The parts were listed anew since the manager looked."""

    code = "another_list"
    en = "The parts were listed anew since: look at that list"
    fr = "La liste des pièces a été modifiée depuis : examinez la nouvelle"


class NothingToValidate(Conflict):
    """There is no parts list that waits for a manager."""

    code = "nothing_to_validate"
    reference: str
    en = "{reference} has no parts list to validate"
    fr = "{reference} n’a aucune liste de pièces à valider"


class PartRetired(WrongField):
    name: str
    en = "{name} is retired: list what replaces it"
    fr = "{name} est retiré du catalogue : demandez ce qui le remplace"


@claims.command(ListParts)
async def list_parts(cmd: ListParts, tx: Tx, by: Actor) -> Reclamation:
    """List the parts that are needed. The same list again changes nothing."""
    reclamation = await under_way(cmd.reclamation_id, tx, by)
    known = {part.article_id for part in reclamation.parts if part.is_needed()}
    wanted = []
    for number, part in enumerate(cmd.parts):
        article = await tx.view(ArticleView, part.article_id)
        if article.status == "retired" and article.id not in known:
            raise PartRetired(field=f"parts.{number}.article_id", name=article.name)
        wanted.append((article, part.quantity))
    parts = relisted(reclamation.parts, wanted, reclamation.id)
    if len(parts) > MOST_PARTS:
        raise TooManyParts(reference=reclamation.reference)
    if parts == reclamation.parts:
        return reclamation
    reclamation.parts = parts
    reclamation.parts_edition += 1
    if len(reclamation.view().model_dump_json().encode()) > LARGEST:
        raise RecordTooLarge(kind=label(reclamation.kind()), largest=LARGEST)
    if reclamation.parts_to_validate:
        tx.emit(reclamation, PartsRequested(edition=reclamation.parts_edition))
    elif not await go_on(tx, reclamation, nothing_comes=True):
        tx.emit(reclamation, ReclamationChanged())
    return reclamation


@claims.command(ValidateParts)
async def validate_parts(cmd: ValidateParts, tx: Tx, by: Actor) -> Reclamation:
    """Validate the parts list that the manager has looked at."""
    reclamation = await under_way(cmd.reclamation_id, tx, by)
    if not reclamation.parts_to_validate:
        raise NothingToValidate(reference=reclamation.reference)
    if cmd.edition != reclamation.parts_edition:
        raise AnotherList
    covered = reclamation.covered_parts
    reclamation.parts = tuple(part.validated(covered) for part in reclamation.parts)
    reclamation.parts_validated = cmd.edition
    lines = tuple(part.needed() for part in reclamation.parts if part.is_needed())
    tx.emit(reclamation, PartsValidated(edition=cmd.edition, lines=lines))
    await go_on(tx, reclamation, nothing_comes=True)
    return reclamation


async def under_way(id: UUID, tx: Tx, by: Actor) -> Reclamation:
    """The réclamation, while parts may be listed and ordered for it; `NotUnderWay` before and after."""
    reclamation = await tx.load(Reclamation, id, by)
    if reclamation.status not in UNDER_WAY:
        raise NotUnderWay(reference=reclamation.reference, state=label(reclamation.status))
    return reclamation
