"""What articles cost the firm, which admins say."""

from decimal import Decimal

import pytest
import world
from given_catalog import BOILER, article

from sav_catalog.model import cost_id
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged, ChangeArticle
from sav_contracts.catalog.article_cost import ArticleCostSet, SetArticleCost


@pytest.fixture(autouse=True)
async def there_is_a_boiler(stage: Stage) -> None:
    await stage.given(article())


async def costs(stage: Stage, price: str, by: Actor = world.alex) -> Outcome:
    return await stage.when(SetArticleCost(article_id=BOILER, price=Decimal(price)), by=by)


async def test_an_admin_says_what_an_article_costs_and_says_it_anew(stage: Stage) -> None:
    first = (await costs(stage, "1200.00")).only(ArticleCostSet).state
    assert (first.id, first.article_id, str(first.price)) == (cost_id(BOILER), BOILER, "1200.00")
    again = (await costs(stage, "1250.50")).only(ArticleCostSet).state
    assert (again.version, str(again.price), again.currency) == (2, "1250.50", "EUR")


async def test_an_article_that_was_told_has_a_cost_too(stage: Stage) -> None:
    # Both have events of their own.
    (await stage.when(ChangeArticle(article_id=BOILER, name="Chaudière 28"), by=world.marie)).only(
        ArticleChanged
    )
    (await costs(stage, "1200.00")).only(ArticleCostSet)


async def test_the_same_again_is_no_event(stage: Stage) -> None:
    (await costs(stage, "1200.00")).only(ArticleCostSet)
    same = await costs(stage, "1200")
    assert (same.problem, same.events, same.reply["price"]) == (None, [], "1200.00")


async def test_a_cost_has_the_decimals_of_its_currency(stage: Stage) -> None:
    refused = await costs(stage, "1200.005")
    assert refused.problem
    assert [one.field for one in refused.problem.errors or []] == ["price"]


@pytest.mark.parametrize(
    "who", [world.marie, world.karim, world.lea], ids=["manager", "technician", "client"]
)
async def test_nobody_else_says_it(stage: Stage, who: Actor) -> None:
    refused = await costs(stage, "1.00", by=who)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (403, "not_allowed")
