"""A réclamation goes to somebody who can do the work."""

from uuid import UUID

import world
from given_claims import PRODUCT, product, reclamation, technician
from given_views import a

from sav_chassis.testing import Stage
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    OpenReclamation,
    QualifyReclamation,
    ReclamationCreated,
    ReclamationQualified,
    TechnicianAssigned,
)
from sav_contracts.claims.triage import TriageReclamations

ID = UUID(int=100)
BOILER = UUID(int=95)
GIVEN = AssignTechnician(reclamation_id=ID, technician_id=world.karim.id)


async def karim_can(stage: Stage, *skills: str, version: int = 2) -> None:
    card = technician(world.karim).model_copy(update={"skills": list(skills), "version": version})
    await stage.knows(card)


async def test_a_reclamation_needs_what_its_product_asks(stage: Stage) -> None:
    await stage.knows(product(world.lea, article_id=BOILER), a(ArticleView, BOILER, fuel="gas"))
    reported = OpenReclamation(product_id=PRODUCT, problem_type="leak", description="goutte à goutte")
    assert (await stage.when(reported, by=world.lea)).only(ReclamationCreated).state.skills_needed == (
        "heating",
        "gas",
    )


async def test_one_whose_article_is_not_known_here_needs_its_trade(stage: Stage) -> None:
    await stage.knows(product(world.lea, article_id=UUID(int=999)))
    reported = OpenReclamation(product_id=PRODUCT, problem_type="leak", description="goutte à goutte")
    assert (await stage.when(reported, by=world.lea)).only(ReclamationCreated).state.skills_needed == (
        "heating",
    )


async def test_the_product_that_is_named_later_says_it_too(stage: Stage) -> None:
    await stage.knows(product(world.lea, article_id=BOILER), a(ArticleView, BOILER, fuel="heat_pump"))
    await stage.given(reclamation(created_at=stage.now()))
    named = QualifyReclamation(reclamation_id=ID, priority="high", product_id=PRODUCT)
    state = (await stage.when(named, by=world.marie)).only(ReclamationQualified).state
    assert state.skills_needed == ("heating", "heat_pump")


async def test_it_is_not_given_to_somebody_who_lacks_a_skill(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified", skills_needed=("heating", "gas", "heat_pump")))
    await karim_can(stage, "heating", "sanitary")
    refused = await stage.when(GIVEN, by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (409, "lacks_skill")
    assert refused.problem.detail.endswith("gas, heat pump")
    assert refused.problem.french
    assert refused.problem.french.detail.endswith("gaz, pompe à chaleur")
    await karim_can(stage, "heating", "gas", "heat_pump", version=3)
    (await stage.when(GIVEN, by=world.marie)).only(TechnicianAssigned)


async def test_who_declared_nothing_gets_anything_and_what_needs_nothing_goes_to_anybody(
    stage: Stage,
) -> None:
    await stage.given(reclamation(status="qualified", skills_needed=("heating", "gas")))
    await karim_can(stage)
    (await stage.when(GIVEN, by=world.marie)).only(TechnicianAssigned)


async def test_many_at_once_are_refused_one_by_one(stage: Stage) -> None:
    await stage.given(
        reclamation(status="qualified", skills_needed=("heating", "gas")),
        reclamation(id=UUID(int=101), reference="REC-2026-000101", status="qualified"),
    )
    await karim_can(stage, "sanitary")
    both = [
        {"assign": {"reclamation_id": str(id), "technician_id": str(world.karim.id)}}
        for id in (ID, UUID(int=101))
    ]
    answer = await stage.when(TriageReclamations.model_validate({"items": both}), by=world.marie)
    assert [item.get("problem") and item["problem"]["code"] for item in answer.reply["items"]] == [
        "lacks_skill",
        None,
    ]
