"""A field of a record, served alone."""

import pytest
from given_views import a

from sav_chassis.errors import NotFound
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, FieldRow
from sav_edge.fields import shown
from sav_edge.read_model import FoundRecord

[WARRANTY] = [row for row in SURFACE if isinstance(row, FieldRow) and row.field == "warranty"]
GOODWILL = Warranty.of_shares(100, 50, 0, why="decided_by_manager", reason="geste commercial")


def found(view: View) -> FoundRecord:
    return FoundRecord(view.model_dump_json(), view.id, view.version)


def test_a_field_is_shown_as_it_stands_in_its_record() -> None:
    visit = a(InterventionView, warranty=GOODWILL)
    assert Warranty.model_validate_json(shown(WARRANTY, found(visit))) == GOODWILL
    read = Warranty.model_validate_json(shown(WARRANTY, found(visit.for_client())))
    assert (read.labour, read.reason) == (50, None)


def test_a_field_that_is_empty_is_not_found() -> None:
    visit = a(InterventionView, warranty=None)
    with pytest.raises(NotFound, match=f"no warranty of intervention {visit.id}"):
        shown(WARRANTY, found(visit))
