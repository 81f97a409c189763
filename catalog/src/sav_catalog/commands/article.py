"""Adding, changing and retiring articles."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select

from sav_catalog.app import catalog
from sav_catalog.gtin import has_check_digit
from sav_catalog.model import Article, StockLevel, stock_id
from sav_chassis.errors import Conflict, FieldError, Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleAdded,
    ArticleChanged,
    ArticleRetired,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
    StockLevelChanged,
    StockLow,
)

# What an article may be without.
OPTIONAL = {"model", "spare_parts_until"}


class ReferenceTaken(Conflict):
    """Another article has this reference, perhaps written in other letters."""

    code = "reference_taken"


@catalog.command(AddArticle)
async def add_article(cmd: AddArticle, tx: Tx, by: Actor) -> Article:
    """Put an article into the catalogue, with nothing of it in stock."""
    if cmd.gtin and not has_check_digit(cmd.gtin):
        raise Invalid.field("gtin", "the last digit does not match the others: a digit is wrong or swapped")
    await _check_reference(tx, cmd.reference)
    await _check_parts(tx, cmd.compatible_parts)
    article = tx.add(
        Article(
            id=tx.new_id(),
            status="active",
            in_stock=False,
            image=None,
            **_fields(cmd, AddArticle.model_fields),
        )
    )
    level = tx.add(
        StockLevel(
            id=stock_id(article.id),
            article_id=article.id,
            reference=article.reference,
            level=0,
            minimum_stock=article.minimum_stock,
        )
    )
    tx.emit(ArticleAdded, article)
    # Nothing moved; but readers know a level only from an event.
    tx.emit(StockLevelChanged, level)
    return article


@catalog.command(ChangeArticle)
async def change_article(cmd: ChangeArticle, tx: Tx, by: Actor) -> Article:
    """Change the fields that are given; where one may be absent, null takes it away."""
    changes = _fields(cmd, cmd.model_fields_set - {"article_id"})
    if not changes:
        raise Invalid.field("body", "say what to change")
    empty = sorted(name for name, value in changes.items() if value is None and name not in OPTIONAL)
    if empty:
        raise Invalid.fields([FieldError(field=name, message="it cannot be empty") for name in empty])
    article = await tx.load(Article, cmd.article_id, by)
    article.check_not_retired()
    await _check_parts(tx, cmd.compatible_parts or [])
    if cmd.status and cmd.status != article.status:
        article.move(cmd.status, by)
    if cmd.minimum_stock not in (None, article.minimum_stock):
        await _expect_stock(tx, article, changes["minimum_stock"], by)
    for name, value in changes.items():
        setattr(article, name, value)
    tx.emit(ArticleChanged, article)
    return article


@catalog.command(RetireArticle)
async def retire_article(cmd: RetireArticle, tx: Tx, by: Actor) -> Article:
    """Take an article out of the catalogue, for good."""
    article = await tx.load(Article, cmd.article_id, by)
    article.move("retired", by)
    tx.emit(ArticleRetired, article)
    return article


@catalog.command(SetArticleImage)
async def set_article_image(cmd: SetArticleImage, tx: Tx, by: Actor) -> Article:
    """Give an article its picture, in place of the one it had."""
    article = await tx.load(Article, cmd.article_id, by)
    article.check_not_retired()
    article.image = cmd.image
    tx.emit(ArticleChanged, article)
    return article


async def _expect_stock(tx: Tx, article: Article, minimum: int, by: Actor) -> None:
    """Of this article there should always be so many; tells when there are fewer from now on."""
    level = await tx.load(StockLevel, stock_id(article.id), by)
    was_low = level.is_low
    level.minimum_stock = minimum
    tx.emit(StockLevelChanged, level)
    if level.is_low and not was_low:
        tx.emit(StockLow, level)


async def _check_reference(tx: Tx, reference: str) -> None:
    same = func.lower(Article.reference) == func.lower(reference)
    if await tx.session.scalar(select(exists().where(same))):
        raise ReferenceTaken(f"there is an article {reference} already")


async def _check_parts(tx: Tx, ids: Sequence[UUID]) -> None:
    known = set(await tx.session.scalars(select(Article.id).where(Article.id.in_(ids))))
    for id in ids:
        if id not in known:
            raise Invalid.field("compatible_parts", f"there is no article {id}")


def _fields(cmd: AddArticle | ChangeArticle, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(cmd, name) for name in names}
