"""Queries of claims."""

from sav_chassis.errors import NoSuch
from sav_chassis.law.sale import gross_of
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client
from sav_claims.sales import check_invoiced, sale_to
from sav_claims.settings import firm
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims.order import ArticlePrice, GetArticlePrice
from sav_contracts.claims.problems import FindProblemTypes, ProblemTypes, problem_types
from sav_contracts.labels import label


@claims.query(FindProblemTypes)
async def find_problem_types(query: FindProblemTypes, tx: Tx, by: Actor) -> ProblemTypes:
    """All types of problems, with their questions."""
    return problem_types()


@claims.query(GetArticlePrice)
async def get_article_price(query: GetArticlePrice, tx: Tx, by: Actor) -> ArticlePrice:
    """What pieces of an article cost this client, by the VAT of their place."""
    buyer = await tx.read(Client, by.id, by)
    no_such = NoSuch(kind=label(ArticleView.kind()), id=query.article_id)
    article = await tx.view(ArticleView, query.article_id, by, no_such)
    check_invoiced(article.currency)
    net = article.price * query.quantity
    return ArticlePrice(
        article_id=article.id,
        quantity=query.quantity,
        currency=article.currency,
        net=net,
        gross=gross_of([(net, article.vat_class)], sale_to(buyer, tx), firm().law),
    )
