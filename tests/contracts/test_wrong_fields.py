"""A validator of a whole message names the field that it is about."""

import json
from typing import Any
from uuid import UUID

import pytest
from asked import ASKED, leaves
from pydantic import BaseModel, ValidationError

from sav_chassis.errors import WrongFields
from sav_contracts.catalog.stock import MoveStock
from sav_contracts.interventions.act import SignThen
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.report import SignReport
from sav_contracts.interventions.task import TaskGiven
from sav_contracts.interventions.visit import MoveIntervention, RecordWork
from sav_contracts.messages import RequestMessage

ID = UUID(int=7)
OF_VISIT: dict[str, Any] = {"intervention_id": ID}
DONE: dict[str, Any] = OF_VISIT | {"solution": "x", "labour": [{"description": "x", "minutes": 1}]}


@pytest.mark.parametrize(
    ("message", "given", "field"),
    [
        (MoveIntervention, OF_VISIT | {"to": "paused"}, "cause"),
        (RecordWork, DONE | {"co_ppm": 3, "co_not_measured": "sealed"}, "co_not_measured"),
        (RecordWork, DONE | {"tasks": [{"code": "ab", "done": False}]}, "tasks.0.reason"),
        (RecordWork, DONE | {"failed_serial": "A1", "replacement_serial": "a 1"}, "replacement_serial"),
        (TaskGiven, {"code": "ab", "done": False}, "reason"),
        (SignReport, OF_VISIT, "signature"),
        (SignThen, OF_VISIT, "signature"),
        (CreateIntervention, {}, "reclamation_id"),
        (CreateIntervention, {"client_id": ID}, "purpose"),
        (CreateIntervention, {"purpose": "install"}, "client_id"),
        (CreateIntervention, {"client_id": ID, "purpose": "repair"}, "purpose"),
        (CreateIntervention, {"client_id": ID, "purpose": "install"}, "product_id"),
        (CreateIntervention, {"reclamation_id": ID, "article": "x"}, "article"),
        (MoveStock, {"article_id": ID, "movement": "adjust", "quantity": 1}, "reason"),
    ],
)
def test_the_field_is_named(message: type[BaseModel], given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        message.model_validate(given)
    assert [name for name, _ in WrongFields.from_pydantic(refused.value).wrong] == [field]


@pytest.mark.parametrize("message", ASKED, ids=lambda message: message.__name__)
def test_a_field_that_is_not_there_is_named_at_any_depth(message: type[RequestMessage[Any]]) -> None:
    for inside in {leaf.path[:-1] for leaf in leaves(message) if len(leaf.path) > 1 and leaf.path[-1] != 0}:
        given: Any = {"misspelt": 1}
        for name in reversed(inside):
            given = [given] if name == 0 else {name: given}
        with pytest.raises(ValidationError) as refused:
            message.model_validate_json(json.dumps(given), extra="forbid")
        named = [name for name, _ in WrongFields.from_pydantic(refused.value).wrong]
        assert ".".join(map(str, (*inside, "misspelt"))) in named, named


def test_a_visit_for_nobody_asks_for_a_reclamation_too() -> None:
    with pytest.raises(ValidationError) as refused:
        CreateIntervention.model_validate({})
    [(_, said)] = WrongFields.from_pydantic(refused.value).wrong
    assert "reclamation_id" in said.en
    assert "reclamation_id" in said.fr
