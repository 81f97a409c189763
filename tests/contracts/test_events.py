"""Events are typed where they are made, and whoever reads them is as patient as before."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import ValidationError

from sav_contracts import message_types
from sav_contracts.calendar.hours import HoursChanged
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationView, TechnicianAssigned
from sav_contracts.messages import Changed, changed
from sav_contracts.published import revisions
from sav_ops.home import REPO

KARIM = UUID(int=7)
WRONG = """
from uuid import uuid4
from sav_chassis.tx import Tx
from sav_claims.model import Photo, Reclamation
from sav_contracts.claims.photo import PhotoAdded
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationView, TechnicianAssigned

def told(tx: Tx, reclamation: Reclamation, photo: Photo) -> None:
    tx.emit(reclamation, TechnicianAssigned(technician_id=reclamation.id, outside_hours=True))
    tx.emit(reclamation, ReclamationChanged())
    tx.emit(photo, PhotoAdded())
    tx.emit(reclamation, TechnicianAssigned(technician_id=reclamation.id, outside_hour=True))  # unknown
    tx.emit(reclamation, TechnicianAssigned(technician_id="7"))  # of another type
    tx.emit(reclamation, TechnicianAssigned())  # missing
    tx.emit(reclamation, ReclamationChanged(reason=""))  # unknown
    tx.emit(photo, TechnicianAssigned(technician_id=reclamation.id))  # of another record
    tx.emit(photo, ReclamationChanged())  # of another record

def read(event: TechnicianAssigned, shown: ReclamationChanged) -> tuple[ReclamationView, ReclamationView]:
    event.state.nothing  # unknown
    return event.state, shown.state
"""


def assigned() -> str:
    """The body of such an event in the log."""
    return revisions("samples", TechnicianAssigned.type_name())[-1]


def test_a_fact_that_an_event_does_not_have_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValidationError, match=r"outside_hour\n  Extra inputs are not permitted"):
        cast(Any, TechnicianAssigned)(technician_id=KARIM, outside_hour=True)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        cast(Any, ReclamationChanged)(reason="")


def test_a_fact_that_is_missing_or_of_another_type_is_refused_when_the_event_is_made() -> None:
    with pytest.raises(ValidationError, match=r"technician_id\n  Field required"):
        cast(Any, TechnicianAssigned)()
    with pytest.raises(ValidationError, match="technician_id"):
        cast(Any, TechnicianAssigned)(technician_id="Karim")


def test_a_fact_that_this_code_does_not_know_is_ignored_when_it_is_read() -> None:
    body = assigned().replace("{", '{"of_tomorrow": [1], ', 1).replace('"state": {', '"state": {"too": 1,')
    event = TechnicianAssigned.model_validate_json(body)
    assert event == TechnicianAssigned.model_validate_json(assigned())


def test_what_is_read_has_its_state() -> None:
    with pytest.raises(ValidationError, match=r"state\n  Field required"):
        TechnicianAssigned.model_validate_json(f'{{"technician_id": "{KARIM}"}}')


def test_an_event_has_no_state_before_the_chassis_gives_it_one() -> None:
    event = TechnicianAssigned(technician_id=KARIM)
    with pytest.raises(AttributeError, match="status"):
        assert event.state.status
    state = TechnicianAssigned.model_validate_json(assigned()).state
    told = event.with_state(state)
    assert told == TechnicianAssigned(technician_id=KARIM, state=state)
    assert told.model_dump_json().startswith('{"state":{"id":')


def test_an_event_tells_of_its_own_kind_of_record_only() -> None:
    with pytest.raises(TypeError, match="TechnicianAssigned tells nothing of a photo"):
        TechnicianAssigned(technician_id=KARIM).with_state(cast(Any, PhotoView).model_construct())


def test_each_view_has_the_event_that_shows_it_anew_by_itself() -> None:
    assert Changed[ReclamationView] is changed(ReclamationView) is ReclamationChanged
    assert [changed(view).type_name() for view in (ReclamationView, PhotoView)] == [
        "claims.ReclamationChanged.v1",
        "claims.PhotoChanged.v1",
    ]
    for view in message_types.VIEWS.values():
        assert message_types.EVENTS[changed(view).type_name()] is changed(view)
    assert HoursChanged.__name__ == "HoursChanged"


def test_what_code_calls_such_an_event_is_its_name() -> None:
    for module in message_types.MODULES:
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, Changed) and value is not Changed:
                assert name == value.__name__


def test_types_are_checked_where_an_event_is_emitted_and_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    mypy = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path / "wrong.py")]
    said = subprocess.run(mypy, cwd=REPO, capture_output=True, text=True, check=False).stdout
    wrong = {number for number, line in enumerate(WRONG.splitlines(), 1) if "  # " in line}
    assert {int(number) for number in re.findall(r"wrong\.py:(\d+): error", said)} == wrong, said
