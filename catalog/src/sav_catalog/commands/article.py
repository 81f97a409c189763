"""Adding, changing and retiring articles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, stock_id
from sav_catalog.services import replan_services
from sav_chassis.errors import Conflict, Empty, NamesNothing, NothingToChange, WrongField, WrongFields
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleAdded,
    ArticleChanged,
    ArticleRetired,
    ArticleStatus,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
)
from sav_contracts.catalog.stock import StockLevelChanged, StockLow
from sav_contracts.labels import label

# Fields that an article may lack.
OPTIONAL = {"gtin", "model", "fuel", "heats", "power_kw", "spare_parts_until"}


class ReferenceTaken(Conflict):
    """Another article has this reference, perhaps in another spelling."""

    code = "reference_taken"
    reference: str
    en = "There is an article {reference} already"
    fr = "L’article {reference} existe déjà"


class PartOfItself(WrongField):
    field: str = "compatible_parts"
    en = "an article is no part of itself"
    fr = "un article n’est pas une pièce de lui-même"


@catalog.command(AddArticle)
async def add_article(cmd: AddArticle, tx: Tx, by: Actor) -> Article:
    """Put an article into the catalogue, with nothing of it in stock."""
    await _check_reference(tx, cmd.reference)
    await _check_parts(tx, cmd.compatible_parts)
    article, level = new_article(cmd, tx.new_id())
    tx.add(article)
    tx.add(level)
    tell_new(tx, article, level)
    return article


def new_article(cmd: AddArticle, id: UUID, status: ArticleStatus = "active") -> tuple[Article, StockLevel]:
    """The article and its stock level, with nothing in stock."""
    fields = _fields(cmd, AddArticle.model_fields)
    article = Article.of_values(id=id, status=status, in_stock=False, image=None, **fields)
    level = StockLevel.of_values(
        id=stock_id(id),
        article_id=id,
        reference=cmd.reference,
        level=0,
        minimum_stock=cmd.minimum_stock,
        reserved=0,
        back_ordered=0,
    )
    return article, level


def tell_new(tx: Tx, article: Article, level: StockLevel) -> None:
    tx.emit(article, ArticleAdded())
    # No stock moved, but read sides learn a level only from an event.
    tx.emit(level, StockLevelChanged())


@catalog.command(ChangeArticle)
async def change_article(cmd: ChangeArticle, tx: Tx, by: Actor) -> Article:
    """Change the given fields; null removes an optional one."""
    changes = _fields(cmd, cmd.model_fields_set - {"article_id"})
    if not changes:
        raise NothingToChange
    empty = sorted(name for name, value in changes.items() if value is None and name not in OPTIONAL)
    if empty:
        raise WrongFields.each(Empty(field=name) for name in empty)
    article = await tx.load(Article, cmd.article_id, by)
    check_changes(article, changes, by)
    if article.id in (cmd.compatible_parts or []):
        raise PartOfItself
    await _check_parts(tx, cmd.compatible_parts or [])
    level = None
    if changes.get("minimum_stock", article.minimum_stock) != article.minimum_stock:
        level = await tx.load(StockLevel, stock_id(article.id), by)
    return change(tx, article, level, changes)


def check_changes(article: Article, changes: Mapping[str, Any], by: Actor) -> None:
    """Raises the refusal where the article may not be changed so."""
    article.check_not_retired()
    if "price" in changes:
        check_decimals(changes["price"], article.currency, "price")
    if (status := changes.get("status", article.status)) != article.status:
        article.lifecycle.check(article.status, status, by)


def change(tx: Tx, article: Article, level: StockLevel | None, changes: Mapping[str, Any]) -> Article:
    """Changes what was checked; `level` is its stock level where the minimum stock changes."""
    if level:
        _expect_stock(tx, level, changes["minimum_stock"])
    replan_services(tx, article, changes)
    for name, value in changes.items():
        setattr(article, name, value)
    tx.emit(article, ArticleChanged())
    return article


@catalog.command(RetireArticle)
async def retire_article(cmd: RetireArticle, tx: Tx, by: Actor) -> Article:
    """Take an article out of the catalogue for good."""
    article = await tx.load(Article, cmd.article_id, by)
    article.move("retired", by)
    tx.emit(article, ArticleRetired())
    return article


@catalog.command(SetArticleImage)
async def set_article_image(cmd: SetArticleImage, tx: Tx, by: Actor) -> Article:
    """Set or replace an article's picture."""
    article = await tx.load(Article, cmd.article_id, by)
    article.check_not_retired()
    article.image = cmd.image
    tx.emit(article, ArticleChanged())
    return article


def _expect_stock(tx: Tx, level: StockLevel, minimum: int) -> None:
    """Sets the minimum stock; emits `StockLow` where the level is below it now and was not before."""
    was_low = level.is_low
    level.minimum_stock = minimum
    tx.emit(level, StockLevelChanged())
    if level.is_low and not was_low:
        tx.emit(level, StockLow())


async def _check_reference(tx: Tx, reference: str) -> None:
    if await tx.session.scalar(select(exists().where(Article.reference == reference))):
        raise ReferenceTaken(reference=reference)


async def _check_parts(tx: Tx, ids: Sequence[UUID]) -> None:
    """Raises `NamesNothing` for a part that there is not. A retired one is taken: it fits as before, and may be in stock."""
    known = set(await tx.session.scalars(select(Article.id).where(Article.id.in_(ids))))
    for id in ids:
        if id not in known:
            raise NamesNothing(field="compatible_parts", kind=label(Article.kind()), id=id)


def _fields(cmd: AddArticle | ChangeArticle, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(cmd, name) for name in names}
