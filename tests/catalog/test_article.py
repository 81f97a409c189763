"""Adding, changing and retiring articles."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, JOINT, article, file, overtaken, stock
from given_views import a
from pydantic import ValidationError

from sav_catalog.model import stock_id
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleAdded,
    ArticleChanged,
    ArticleRetired,
    ArticleView,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
)
from sav_contracts.catalog.stock import StockLevelChanged, StockLow
from sav_contracts.messages import RequestMessage


def adding(**fields: object) -> AddArticle:
    usual = {
        "reference": "MIT-1",
        "name": "Mitigeur",
        "brand": "Aqua",
        "family": "sanitary",
        "description": "chromé",
        "price": "89.90",
    }
    return AddArticle.model_validate(usual | fields)


def changing(**fields: object) -> ChangeArticle:
    return ChangeArticle.model_validate({"article_id": BOILER} | fields)


def refused(outcome: Outcome, status: int, code: str) -> list[str]:
    """Which fields the refusal names, if any; nothing has happened."""
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (status, code), outcome.problem
    assert outcome.events == []
    return [error.field for error in outcome.problem.errors or []]


async def test_a_manager_adds_an_article_and_its_stock_begins_at_nothing(stage: Stage) -> None:
    outcome = await stage.when(adding(minimum_stock=5), by=world.marie)

    added, level = outcome.events
    assert isinstance(added, ArticleAdded)
    assert (added.state.reference, added.state.price) == ("MIT-1", Decimal("89.90"))
    assert (added.state.status, added.state.in_stock) == ("active", False)
    assert type(level) is StockLevelChanged
    assert (level.state.level, level.state.minimum_stock) == (0, 5)
    assert (level.state.id, level.state.article_id) == (stock_id(added.state.id), added.state.id)
    assert outcome.reply["id"] == str(added.state.id)


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
@pytest.mark.parametrize(
    "command",
    [
        adding(),
        changing(name="Autre"),
        RetireArticle(article_id=BOILER),
        SetArticleImage(article_id=BOILER, image=file("image/png")),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_only_managers_touch_articles(
    stage: Stage, command: RequestMessage[ArticleView], who: Actor
) -> None:
    await stage.given(article())
    refused(await stage.when(command, by=who), 403, "not_allowed")


async def test_an_admin_does_what_a_manager_does(stage: Stage) -> None:
    added = await stage.when(adding(), by=world.alex)
    id = UUID(added.reply["id"])
    (await stage.when(ChangeArticle(article_id=id, name="Autre"), by=world.alex)).only(ArticleChanged)
    (await stage.when(RetireArticle(article_id=id), by=world.alex)).only(ArticleRetired)


@pytest.mark.parametrize("reference", ["MIT-É", " mit-e\u0301", "MIT\u2011É", "Ｍit-é\u200b"])
async def test_a_reference_is_taken_however_it_is_written(stage: Stage, reference: str) -> None:
    await stage.when(adding(reference="mit-é"), by=world.marie)
    refused(await stage.when(adding(reference=reference), by=world.marie), 409, "reference_taken")


async def test_of_two_who_add_the_same_reference_at_once_one_is_told_that_it_is_taken(stage: Stage) -> None:
    outcomes = await asyncio.gather(*(stage.when(adding(), by=who) for who in (world.marie, world.alex) * 3))
    codes = [outcome.problem.code if outcome.problem else "added" for outcome in outcomes]
    assert sorted(codes) == ["added", *["reference_taken"] * 5]


async def test_who_is_overtaken_with_a_reference_is_told_that_it_is_taken(stage: Stage) -> None:
    outcome = await overtaken(stage, article(reference="MIT-1"), adding(), by=world.marie)
    refused(outcome, 409, "reference_taken")


async def test_adding_again_with_the_same_key_adds_nothing(stage: Stage) -> None:
    first = await stage.when(adding(), by=world.marie, key="k")
    again = await stage.when(adding(), by=world.marie, key="k")
    assert again.reply == first.reply
    assert again.events == []


# GS1's own examples, and an EAN-8.
@pytest.mark.parametrize("gtin", ["6291041500213", "73513537", "036000291452", "10012345000017"])
async def test_a_right_gtin_is_taken(stage: Stage, gtin: str) -> None:
    outcome = await stage.when(adding(gtin=gtin), by=world.marie)
    assert outcome.reply["gtin"] == gtin.zfill(14)


@pytest.mark.parametrize("gtin", ["6291041500214", "6291041500231", "73513536", "036000291425"])
def test_a_gtin_with_a_wrong_or_swapped_digit_is_refused(gtin: str) -> None:
    with pytest.raises(ValidationError, match=r"gtin\n.*a digit is wrong or swapped"):
        adding(gtin=gtin)


async def test_compatible_parts_must_exist(stage: Stage) -> None:
    await stage.given(article(), stock())
    missing = {"compatible_parts": [str(JOINT)]}
    for command in (adding(**missing), changing(**missing)):
        refusal = await stage.when(command, by=world.marie)
        assert refused(refusal, 422, "invalid") == ["compatible_parts"]

    await stage.given(article(id=JOINT, reference="J-1", family="part"))
    for command in (adding(**missing), changing(**missing)):
        assert (await stage.when(command, by=world.marie)).reply["compatible_parts"] == [str(JOINT)]


async def test_an_article_is_no_part_of_itself(stage: Stage) -> None:
    await stage.given(article(), article(id=JOINT, reference="J-1", family="part"), stock())
    refusal = await stage.when(changing(compatible_parts=[str(JOINT), str(BOILER)]), by=world.marie)
    assert refused(refusal, 422, "invalid") == ["compatible_parts"]


async def test_a_retired_part_still_fits(stage: Stage) -> None:
    """It may lie in stock, and a list that names it already can be changed as a whole."""
    await stage.given(article(), article(id=JOINT, reference="J-1", family="part", status="retired"))
    for command in (adding(compatible_parts=[JOINT]), changing(compatible_parts=[JOINT])):
        assert (await stage.when(command, by=world.marie)).reply["compatible_parts"] == [str(JOINT)]


async def test_only_what_is_given_changes(stage: Stage) -> None:
    await stage.given(article(model="C24"))
    outcome = await stage.when(changing(price="1190.50"), by=world.marie)
    after = outcome.only(ArticleChanged).state
    assert (after.price, after.model, after.name) == (Decimal("1190.50"), "C24", "Chaudière 24")


async def test_null_takes_away_what_may_be_absent(stage: Stage) -> None:
    await stage.given(article(model="C24"))
    outcome = await stage.when(changing(model=None), by=world.marie)
    assert outcome.only(ArticleChanged).state.model is None


async def test_what_an_article_heats_is_recorded_shown_and_changed(stage: Stage) -> None:
    added = await stage.when(adding(family="heating", fuel="gas", heats="water"), by=world.marie)
    id = UUID(added.reply["id"])
    assert added.reply["heats"] == "water"
    assert added.events[0].state.for_client().heats == "water"
    for heats in ("space", "space_and_water", None):
        changed = await stage.when(ChangeArticle(article_id=id, heats=heats), by=world.marie)
        assert changed.only(ArticleChanged).state.heats == heats
    changed = await stage.when(ChangeArticle(article_id=id, fuel="gas_hybrid"), by=world.marie)
    assert (changed.reply["fuel"], changed.reply["vat_class"]) == ("gas_hybrid", "standard")


async def test_of_an_article_from_before_nobody_has_said_what_it_heats(stage: Stage) -> None:
    await stage.given(article(fuel="gas"))
    state = (await stage.when(changing(name="Autre"), by=world.marie)).only(ArticleChanged).state
    assert (state.heats, state.is_fossil_boiler) == (None, None)


@pytest.mark.parametrize(
    ("fields", "is_one"),
    [
        ({"fuel": "gas", "heats": "space"}, True),
        ({"fuel": "oil", "heats": "space_and_water"}, True),
        ({"fuel": "gas_hybrid", "heats": "space"}, True),
        ({"fuel": "oil_hybrid", "heats": "space_and_water"}, True),
        ({"fuel": "gas", "heats": "space", "family": "sanitary"}, True),
        ({"fuel": "gas", "heats": "water"}, False),
        ({"fuel": "gas_hybrid", "heats": "water"}, False),
        ({"fuel": "wood", "heats": "space"}, False),
        ({"fuel": "heat_pump", "heats": "space_and_water"}, False),
        ({"fuel": "electric", "heats": "space"}, False),
        ({"fuel": None, "heats": "space"}, False),
        ({"fuel": None}, False),
        ({"fuel": "heat_pump"}, False),
        ({"fuel": "gas"}, None),
        ({"fuel": "oil_hybrid"}, None),
        ({"fuel": "gas", "family": "part"}, False),
        ({"fuel": "gas", "heats": "space", "family": "part"}, False),
    ],
    ids=str,
)
def test_a_boiler_that_can_burn_fossil_fuel_for_space_heating_is_known(
    fields: dict[str, object], is_one: bool | None
) -> None:
    shown = a(ArticleView).model_copy(update={"family": "heating", "heats": None} | fields)
    assert shown.is_fossil_boiler is is_one
    assert shown.for_client().is_fossil_boiler is is_one


async def test_null_is_refused_where_something_must_stand(stage: Stage) -> None:
    await stage.given(article())
    outcome = await stage.when(changing(name=None, status=None, brand="Autre"), by=world.marie)
    assert refused(outcome, 422, "invalid") == ["name", "status"]


async def test_changing_nothing_is_refused(stage: Stage) -> None:
    await stage.given(article())
    assert refused(await stage.when(changing(), by=world.marie), 422, "invalid") == ["body"]


async def test_an_article_that_does_not_exist_is_not_found(stage: Stage) -> None:
    for command in (changing(name="X"), RetireArticle(article_id=BOILER)):
        refused(await stage.when(command, by=world.marie), 404, "not_found")


async def test_an_article_at_the_end_of_its_life_may_come_back(stage: Stage) -> None:
    await stage.given(article())
    for status in ("end_of_life", "active"):
        outcome = await stage.when(changing(status=status), by=world.marie)
        assert outcome.only(ArticleChanged).state.status == status


async def test_naming_the_status_that_it_has_changes_the_rest(stage: Stage) -> None:
    await stage.given(article())
    outcome = await stage.when(changing(status="active", name="Autre"), by=world.marie)
    assert outcome.only(ArticleChanged).state.name == "Autre"


@pytest.mark.parametrize("status", ["active", "end_of_life"])
async def test_an_article_is_retired_once(stage: Stage, status: str) -> None:
    await stage.given(article(status=status))
    retired = await stage.when(RetireArticle(article_id=BOILER), by=world.marie)
    assert retired.only(ArticleRetired).state.status == "retired"

    again = await stage.when(RetireArticle(article_id=BOILER), by=world.marie)
    refused(again, 409, "illegal_move")
    assert again.problem
    assert again.problem.moves == []


async def test_a_retired_article_does_not_change(stage: Stage) -> None:
    await stage.given(article(status="retired"))
    for command in (
        changing(name="Autre"),
        changing(status="active"),
        SetArticleImage(article_id=BOILER, image=file("image/png")),
    ):
        refused(await stage.when(command, by=world.marie), 409, "article_retired")


async def test_an_image_is_set_and_replaced(stage: Stage) -> None:
    await stage.given(article())
    for image in (file("image/png"), file("image/webp", sha256="b" * 64)):
        outcome = await stage.when(SetArticleImage(article_id=BOILER, image=image), by=world.marie)
        assert outcome.only(ArticleChanged).state.image == image


async def test_another_minimum_reaches_the_stock_level(stage: Stage) -> None:
    await stage.given(article(), stock(level=3))
    outcome = await stage.when(changing(minimum_stock=3), by=world.marie)
    level, changed = outcome.events
    assert type(level) is StockLevelChanged
    assert (level.state.level, level.state.minimum_stock) == (3, 3)
    assert type(changed) is ArticleChanged
    assert changed.state.minimum_stock == 3


async def test_a_minimum_above_the_level_makes_the_stock_low_once(stage: Stage) -> None:
    await stage.given(article(), stock(level=3))
    low = await stage.when(changing(minimum_stock=4), by=world.marie)
    assert [type(event) for event in low.events] == [StockLevelChanged, StockLow, ArticleChanged]
    lower = await stage.when(changing(minimum_stock=5), by=world.marie)
    assert [type(event) for event in lower.events] == [StockLevelChanged, ArticleChanged]


async def test_the_same_minimum_leaves_the_stock_level_alone(stage: Stage) -> None:
    await stage.given(article(minimum_stock=4), stock(level=3, minimum=4))
    (await stage.when(changing(minimum_stock=4), by=world.marie)).only(ArticleChanged)


def test_a_price_has_the_decimals_of_its_currency() -> None:
    assert adding(price="89.905", currency="TND").price == Decimal("89.905")
    with pytest.raises(ValidationError, match="price"):
        adding(price="89.905")


async def test_another_price_has_them_too(stage: Stage) -> None:
    await stage.given(article(), stock())
    finer = await stage.when(changing(price="89.905"), by=world.marie)
    assert refused(finer, 422, "invalid") == ["price"]
    (await stage.when(changing(price="89.90"), by=world.marie)).only(ArticleChanged)
