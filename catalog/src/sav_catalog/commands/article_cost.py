"""What articles cost the firm, which admins say."""

from sqlalchemy import select

from sav_catalog.app import catalog
from sav_catalog.model import Article, ArticleCost, cost_id
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article_cost import ArticleCostSet, SetArticleCost


@catalog.command(SetArticleCost)
async def set_article_cost(cmd: SetArticleCost, tx: Tx, by: Actor) -> ArticleCost:
    """Say what the firm pays for an article; the same again is no event."""
    article = await tx.load(Article, cmd.article_id, by)
    check_decimals(cmd.price, article.currency, "price")
    cost = await tx.first(select(ArticleCost).where(ArticleCost.article_id == article.id))
    if cost and (cost.price, cost.currency) == (cmd.price, article.currency):
        return cost
    cost = cost or tx.add(
        ArticleCost(id=cost_id(article.id), article_id=article.id, reference=article.reference)
    )
    cost.price, cost.currency = cmd.price, article.currency
    tx.emit(cost, ArticleCostSet())
    return cost
