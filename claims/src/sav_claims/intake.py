"""What a new réclamation is compared with: the product's place, and earlier réclamations about the same product."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import NamesNothing, WrongField
from sav_chassis.tx import Tx
from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, PlaceGiven, ProductView
from sav_contracts.claims.intake import Duplicate, PreferredTime
from sav_contracts.claims.problems import LABELS, PROBLEMS
from sav_contracts.claims.reclamation import OVER, ProblemType
from sav_contracts.interventions.technician import Skill, skills_for
from sav_contracts.labels import choices, label
from sav_contracts.sentences import Text

MOST_DUPLICATES = 5


class UnitReplaced(WrongField):
    field: str = "product_id"
    en = "this unit was replaced: choose the one that took its place"
    fr = "cet appareil a été remplacé : choisissez celui qui a pris sa place"


class WherePlease(WrongField):
    field: str = "place"
    en = "say where the article is: its address"
    fr = "indiquez où se trouve l’article : son adresse"


class OtherFamily(WrongField):
    field: str = "problem_type"
    article: str
    types: Text
    en = "for {article} it is one of {types}"
    fr = "pour {article}, c’est l’un des suivants : {types}"


class DayPast(WrongField):
    field: str = "preferred_times"
    en = "choose days that are still to come"
    fr = "choisissez des jours à venir"


async def product_of(client_id: UUID, product_id: UUID | None, tx: Tx, by: Actor) -> ProductView | None:
    """The product, which has to be this client's, and not replaced."""
    if product_id is None:
        return None
    product = await tx.view(ProductView, product_id, by)
    if product.client_id != client_id:
        raise NamesNothing(field="product_id", kind=label(ProductView.kind()), id=product_id)
    if product.replaced_by_id:
        raise UnitReplaced
    return product


async def skills_of(product: ProductView | None, tx: Tx) -> tuple[Skill, ...]:
    """What somebody has to be able to do who works on it: its trade alone, where its article is not known here."""
    if product is None:
        return ()
    article = await tx.copies(ArticleView).one(product.article_id)
    return skills_for(product.family, article.fuel if article else None)


def check_type(problem_type: ProblemType | None, product: ProductView | None) -> None:
    """Refuses a type of problem that the product's family does not have."""
    types = PROBLEMS[product.family if product else None]
    if product and problem_type and problem_type not in types:
        words: dict[str, str] = {type: LABELS[type].fr for type in types}
        raise OtherFamily(article=product.article, types=choices(words))


def place_of(client: Client, product: ProductView | None, given: PlaceGiven | None) -> Place:
    """The product's place, or the given one, or else the only address in the client's profile."""
    if product:
        return product.place
    if given:
        return Place.model_validate(given.model_dump())
    if len(client.addresses) == 1:
        return Place.model_validate(client.addresses[0].model_dump())
    raise WherePlease


def check_days(times: tuple[PreferredTime, ...], place: Place, tx: Tx) -> None:
    """Refuses a day that is over at the place."""
    if any(time.on and time.on < place.day(tx.now) for time in times):
        raise DayPast


class Earlier(NamedTuple):
    """What is known about the product of a new réclamation."""

    duplicates: tuple[Duplicate, ...] = ()
    repeat_of: UUID | None = None
    visit_id: UUID | None = None


async def earlier(client: Client, product: ProductView | None, tx: Tx) -> Earlier:
    """Open réclamations of the client about the product, and the last one that was resolved a short while ago."""
    if product is None:
        return Earlier()
    theirs = (Reclamation.product_id == product.id, Reclamation.client_id == client.id)
    still_open = await tx.session.scalars(
        select(Reclamation)
        .where(*theirs, Reclamation.status.not_in(("resolved", *OVER)))
        .order_by(Reclamation.created_at.desc(), Reclamation.id)
        .limit(MOST_DUPLICATES)
    )
    since = tx.now - (await tx.policy(CutOffs)).repeat_within
    resolved = await tx.session.scalar(
        select(Reclamation)
        .where(*theirs, Reclamation.resolved_at >= since, Reclamation.status.in_(("resolved", "closed")))
        .order_by(Reclamation.resolved_at.desc(), Reclamation.id)
        .limit(1)
    )
    return Earlier(
        tuple(Duplicate(id=one.id, reference=one.reference) for one in still_open),
        resolved.id if resolved else None,
        resolved.visit_id if resolved else None,
    )
