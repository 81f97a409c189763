"""Queries of claims."""

from sav_chassis.errors import NoSuch
from sav_chassis.law.sale import gross_of, sale
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client
from sav_claims.sales import check_invoiced, first_address, today
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
    law, net = firm().law, article.price * query.quantity
    supply = sale(first_address(buyer), today(tx), law)
    return ArticlePrice(
        article_id=article.id,
        quantity=query.quantity,
        currency=article.currency,
        net=net,
        gross=gross_of([(net, article.vat_class)], supply, law),
    )
