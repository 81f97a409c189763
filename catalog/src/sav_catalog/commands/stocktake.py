"""Recording what was counted on the shelves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, text

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, Stocktake, StocktakeLine
from sav_catalog.settings import firm
from sav_catalog.stock import Stock
from sav_chassis.errors import NamesNothing, WrongField, WrongFields
from sav_chassis.tx import Tx
from sav_chassis.written import day
from sav_contracts.actor import Actor
from sav_contracts.catalog.stocktake import (
    CountedArticle,
    RecordStocktake,
    ShelfCount,
    StocktakeRecorded,
    Worth,
)
from sav_contracts.labels import label
from sav_contracts.money import Currency
from sav_contracts.sentences import Text

# Later, so much has moved that nobody could say which difference the count found.
LONGEST_AGO = timedelta(days=92)

REFERENCES = text("SELECT nextval('stocktake_reference')")
# What is reserved; what came and went on the shelf since the count. An earlier count that was recorded only since
# corrected what was on record at this count already, so its difference is taken back out.
ON_RECORD = text(
    """SELECT s.article_id, s.level,
        coalesce((SELECT -sum(quantity) FROM stock_movement m
            WHERE m.article_id = s.article_id AND movement IN ('reserve', 'release')), 0)::bigint AS reserved,
        (coalesce((SELECT sum(quantity) FROM stock_movement m
            WHERE m.article_id = s.article_id AND at > :counted_at AND movement NOT IN ('reserve', 'release')), 0)
        - coalesce((SELECT sum(counted - expected) FROM stocktake_line l
            WHERE l.article_id = s.article_id AND l.counted_at <= :counted_at AND l.recorded_at > :counted_at), 0)
        )::bigint AS since,
        (SELECT max(counted_at) FROM stocktake_line l WHERE l.article_id = s.article_id) AS last_counted_at
    FROM stock_level s WHERE s.article_id = ANY(:articles)"""
)


class CountedInFuture(WrongField):
    field: str = "counted_at"
    en = "this moment is still to come"
    fr = "ce moment est encore à venir"


class CountedLongAgo(WrongField):
    field: str = "counted_at"
    days: int = LONGEST_AGO.days
    en = "at most {days} days ago: count again"
    fr = "au plus {days} jours en arrière : recomptez"


class NoSuchReference(WrongField):
    reference: str
    en = "There is no article {reference}"
    fr = "Article introuvable : {reference}"


class CountedTwice(WrongField):
    reference: str
    other: str
    en = "{reference} is counted in {other} already: add both counts up"
    fr = "{reference} est déjà compté dans {other} : additionnez les deux"


class CountedSince(WrongField):
    reference: str
    moment: Text
    en = "{reference} was counted at {moment} already: leave it out, or count it again"
    fr = "{reference} a déjà été compté le {moment} : retirez-le, ou recomptez-le"


class MoreTakenSince(WrongField):
    """More was taken out since than the count found."""

    reference: str
    expected: int
    counted: int
    free: int
    reserved: int
    en = "{reference}: {counted} were counted where {expected} were expected, but {free} are free and {reserved} are reserved: count again"
    fr = "{reference} : {counted} comptés au lieu de {expected}, mais {free} sont libres et {reserved} réservés ; recomptez"


class Shelf(NamedTuple):
    """An article that was counted, with its locked stock level, and what is on record of it."""

    field: str
    article: Article
    level: StockLevel
    counted: int
    reserved: int
    # On hand at the moment of the count.
    expected: int

    @property
    def difference(self) -> int:
        return self.counted - self.expected


@catalog.command(RecordStocktake)
async def record_stocktake(cmd: RecordStocktake, tx: Tx, by: Actor) -> Stocktake:
    """Record the counts, and adjust the stock by what they differ from what was on record at that moment."""
    if cmd.counted_at > tx.now:
        raise CountedInFuture
    if cmd.counted_at < tx.now - LONGEST_AGO:
        raise CountedLongAgo
    shelves = await _shelves(tx, cmd.counted_at, await _articles(tx, cmd.counts))
    moved = [shelf.difference for shelf in shelves if shelf.difference]
    year = tx.now.astimezone(firm().zone).year
    stocktake = tx.add(
        Stocktake(
            id=tx.new_id(),
            reference=f"INV-{year}-{await tx.session.scalar(REFERENCES):06}",
            counted_at=cmd.counted_at,
            by_id=by.id,
            note=cmd.note,
            counted=len(shelves),
            adjusted=len(moved),
            surplus=sum(pieces for pieces in moved if pieces > 0),
            missing=-sum(pieces for pieces in moved if pieces < 0),
            value=_worth(shelves),
        )
    )
    counts = [
        CountedArticle(article_id=shelf.article.id, counted=shelf.counted, expected=shelf.expected)
        for shelf in shelves
    ]
    tx.emit(stocktake, StocktakeRecorded(counts=counts))
    await tx.flush()
    for shelf in shelves:
        await _adjust(tx, stocktake, shelf)
    return stocktake


async def _articles(tx: Tx, counts: Sequence[ShelfCount]) -> dict[str, tuple[Article, int]]:
    """Each article with its count, by the name of its line; all are locked, in the order of their ids."""
    ids = [count.article_id for count in counts if count.article_id]
    references = [count.reference for count in counts if count.reference]
    chosen = select(Article).where(or_(Article.id.in_(ids), Article.reference.in_(references)))
    # Whoever locks several articles does it in this order, and each one before its stock level: nobody waits in a circle.
    found = list(await tx.session.scalars(chosen.order_by(Article.id).with_for_update()))
    named: Mapping[UUID | str | None, Article] = {
        name: article for article in found for name in (article.id, article.reference)
    }
    lines: dict[str, tuple[Article, int]] = {}
    first: dict[UUID, str] = {}
    wrong: list[WrongField] = []
    for number, count in enumerate(counts):
        line, article = f"counts.{number}", named.get(count.article_id or count.reference)
        if article is None:
            wrong.append(_unknown(line, count))
        elif article.id in first:
            wrong.append(CountedTwice(field=line, reference=article.reference, other=first[article.id]))
        else:
            first[article.id] = line
            lines[line] = article, count.counted
    if wrong:
        raise WrongFields.each(wrong)
    return lines


def _unknown(line: str, count: ShelfCount) -> WrongField:
    if count.article_id:
        return NamesNothing(field=f"{line}.article_id", kind=label(Article.kind()), id=count.article_id)
    return NoSuchReference(field=f"{line}.reference", reference=str(count.reference))


async def _shelves(tx: Tx, counted_at: datetime, lines: Mapping[str, tuple[Article, int]]) -> list[Shelf]:
    """What is on record of each article, by id; `WrongFields` names the lines whose counts cannot be taken."""
    ids = sorted(article.id for article, _ in lines.values())
    chosen = select(StockLevel).where(StockLevel.article_id.in_(ids)).order_by(StockLevel.article_id)
    levels = {level.article_id: level for level in await tx.session.scalars(chosen.with_for_update())}
    asked = {"articles": ids, "counted_at": counted_at}
    on_record = {row.article_id: row for row in await tx.session.execute(ON_RECORD, asked)}
    shelves: list[Shelf] = []
    wrong: list[WrongField] = []
    for line, (article, counted) in lines.items():
        row = on_record[article.id]
        expected = row.level + row.reserved - row.since
        shelf = Shelf(line, article, levels[article.id], counted, row.reserved, expected)
        shelves.append(shelf)
        if row.last_counted_at and row.last_counted_at >= counted_at:
            at = row.last_counted_at.astimezone(firm().zone)
            moment = Text(f"{at:%Y-%m-%d %H:%M}", f"{day(at.date(), 'fr')} à {at:%H:%M}")
            wrong.append(CountedSince(field=line, reference=article.reference, moment=moment))
        elif shelf.level.level + shelf.level.reserved + shelf.difference < 0:
            wrong.append(_more_taken_since(shelf))
    if wrong:
        raise WrongFields.each(wrong)
    return sorted(shelves, key=lambda shelf: shelf.article.id)


def _more_taken_since(shelf: Shelf) -> MoreTakenSince:
    return MoreTakenSince(
        field=f"{shelf.field}.counted",
        reference=shelf.article.reference,
        expected=shelf.expected,
        counted=shelf.counted,
        free=shelf.level.level,
        reserved=shelf.reserved,
    )


async def _adjust(tx: Tx, stocktake: Stocktake, shelf: Shelf) -> None:
    """Records the count, and adjusts the stock where it differs.

    Who waits for what was found gets it at once; where fewer are there than are reserved, who came last waits.
    """
    recorded_at = tx.now
    if shelf.difference:
        stock = Stock(tx, shelf.article, shelf.level)
        recorded_at = await stock.adjust(shelf.difference, stocktake.note, stocktake.reference)
        await stock.settle()
    tx.add(
        StocktakeLine(
            stocktake_id=stocktake.id,
            article_id=shelf.article.id,
            counted=shelf.counted,
            expected=shelf.expected,
            price=shelf.article.price,
            currency=shelf.article.currency,
            counted_at=stocktake.counted_at,
            recorded_at=recorded_at,
        )
    )


def _worth(shelves: Iterable[Shelf]) -> list[Worth]:
    """What the differences are worth, in each currency of the articles."""
    worth: dict[Currency, Decimal] = {}
    for shelf in shelves:
        article = shelf.article
        worth[article.currency] = worth.get(article.currency, Decimal(0)) + shelf.difference * article.price
    return [Worth(currency=currency, amount=amount) for currency, amount in sorted(worth.items())]
