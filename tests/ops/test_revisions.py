"""Revisions of events: added where an event says more, refused where it breaks what was published."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast
from uuid import UUID

import pytest
from pydantic import Field, create_model

from sav_contracts.messages import Event, PersonId, View
from sav_contracts.published import revisions
from sav_contracts.visibility import Own, Visible
from sav_ops.documents import generated
from sav_ops.documents.schema_revisions import missing
from sav_ops.home import OpsError

NAME = "toy.ParcelSent.v1"


class ParcelView(View):
    """A parcel."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    client_id: PersonId
    weight: int


def published(**facts: Any) -> Mapping[str, type[Event]]:
    """The catalogue with one event, which has these facts today."""
    return {
        NAME: create_model("ParcelSent", __base__=Event, __module__="toy", state=(ParcelView, ...), **facts)
    }


def generate(root: Path, events: Mapping[str, type[Event]]) -> list[str]:
    added = missing(root, events)
    for path, text in added.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(path.relative_to(root)) for path in added]


def test_a_new_event_gets_a_schema_and_a_sample_once(tmp_path: Path) -> None:
    events = published(track=(str, ...))
    assert generate(tmp_path, events) == [f"schemas/{NAME}/1.json", f"samples/{NAME}/1.json"]
    assert generate(tmp_path, events) == []
    [sample] = revisions("samples", NAME, tmp_path)
    UUID(json.loads(sample)["state"]["client_id"])


def test_an_optional_field_is_another_revision_and_the_first_one_stays(tmp_path: Path) -> None:
    generate(tmp_path, published())
    first = [revisions("schemas", NAME, tmp_path), revisions("samples", NAME, tmp_path)]
    assert generate(tmp_path, published(track=(str | None, None))) == [
        f"schemas/{NAME}/2.json",
        f"samples/{NAME}/2.json",
    ]
    schemas, samples = (revisions("schemas", NAME, tmp_path), revisions("samples", NAME, tmp_path))
    assert [schemas[:1], samples[:1]] == first
    assert "track" not in json.loads(samples[0])
    assert json.loads(samples[1])["track"]


def test_a_sample_holds_the_examples_of_the_contract(tmp_path: Path) -> None:
    generate(tmp_path, published(track=(str, Field(examples=["6A 0123"])), plain=(str | None, None)))
    [sample] = map(json.loads, revisions("samples", NAME, tmp_path))
    assert (sample["track"], sample["plain"]) == ("6A 0123", "Texte")


def test_a_newer_sample_keeps_what_was_published_and_fills_what_is_new_at_any_depth(tmp_path: Path) -> None:
    stop = create_model("Stop", town=(str, ...))
    generate(tmp_path, published(last=(stop, ...), stops=(list[stop], ...)))
    file = tmp_path / "samples" / NAME / "1.json"
    first = json.loads(file.read_text())
    first["state"]["weight"], first["last"]["town"], first["stops"][0]["town"] = 17, "Lyon", "Mâcon"
    file.write_text(json.dumps(first))
    longer = create_model("Stop", town=(str, Field(examples=["Paris"])), at=(str | None, None))
    track = (str | None, Field(default=None, examples=["6A"]))
    generate(tmp_path, published(last=(longer, ...), stops=(list[longer], ...), track=track))
    stopped = {"last": {"town": "Lyon", "at": "Texte"}, "stops": [{"town": "Mâcon", "at": "Texte"}]}
    assert json.loads(revisions("samples", NAME, tmp_path)[-1]) == first | stopped | {"track": "6A"}


def test_a_break_is_told_with_event_field_reason_and_cure_and_adds_nothing(tmp_path: Path) -> None:
    generate(tmp_path, published(track=(str, ...)))
    with pytest.raises(OpsError) as refused:
        generate(tmp_path, published(trace=(str, ...)))
    told = str(refused.value)
    assert f"{NAME}: track is gone" in told
    assert f"{NAME}: trace is new and required, and recorded events lack it" in told
    assert "add an optional one" in told
    assert "major version" in told
    assert len(revisions("schemas", NAME, tmp_path)) == 1


def test_every_revision_counts_not_only_the_newest(tmp_path: Path) -> None:
    generate(tmp_path, published(track=(str | None, None)))
    # Such as a second revision that came by hand, or from another branch.
    generate(tmp_path / "other", published())
    newest = (tmp_path / "other/schemas" / NAME / "1.json").read_text()
    (tmp_path / "schemas" / NAME / "2.json").write_text(newest)
    with pytest.raises(OpsError, match=f"{NAME}: track is gone"):
        missing(tmp_path, published())


def test_an_event_that_was_published_stays(tmp_path: Path) -> None:
    generate(tmp_path, published())
    with pytest.raises(OpsError, match=f"{NAME}: the event is gone"):
        missing(tmp_path, {})


def test_what_could_never_be_compared_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=f"{NAME}: pair is described by `prefixItems`"):
        missing(tmp_path, published(pair=(tuple[int, str], ...)))


def test_what_is_only_said_better_is_no_revision(tmp_path: Path) -> None:
    generate(tmp_path, published())
    [event] = published().values()
    event.__doc__ = "A parcel is on its way."
    assert generate(tmp_path, {NAME: event}) == []
    generate(tmp_path, published(track=(str | None, None)))
    shown = published(
        track=(Annotated[str, Field(examples=["6A"])] | None, Field(default=None, examples=["6A"]))
    )
    assert generate(tmp_path, shown) == []
    worded, better = [cast(Any, StrEnum("Size", {"S": "s", "L": "l"})) for _ in range(2)]
    worded.__doc__, better.__doc__ = "How big.", "How big a parcel is."
    generate(tmp_path, published(track=(str | None, None), size=(worded | None, None)))
    assert generate(tmp_path, published(track=(str | None, None), size=(better | None, None))) == []


def test_a_decimal_is_no_text(tmp_path: Path) -> None:
    generate(tmp_path, published(price=(Decimal, ...)))
    with pytest.raises(OpsError, match="price has another format"):
        missing(tmp_path, published(price=(str, ...)))


def test_missing_revisions_and_breaks_are_found_with_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "schemas" / NAME / "1.json"
    monkeypatch.setattr(generated, "REPO", tmp_path)
    monkeypatch.setattr(generated, "DOCUMENTS", [])
    monkeypatch.setattr(
        "sav_ops.documents.schema_revisions.missing", lambda: {} if file.exists() else {file: "{}\n"}
    )
    assert generated.outdated() == [file]
    assert generated.write() == [file.relative_to(tmp_path)]
    assert file.read_text() == "{}\n"
    assert generated.outdated() == []


def told(view: str, reclamation: Any) -> Mapping[str, type[Event]]:
    """An event about a record of this view, which names a réclamation of this type."""
    state = create_model(view, __base__=ParcelView, reclamation_id=(reclamation, ...))
    event = create_model("ParcelSent", __base__=Event, __module__="toy", state=(state, ...))
    return {NAME: event}


def test_only_visits_may_be_for_no_reclamation_since_a_revision(tmp_path: Path) -> None:
    """ADR 49."""
    generate(tmp_path, told("InterventionView", UUID))
    assert generate(tmp_path, told("InterventionView", UUID | None)) == [
        f"schemas/{NAME}/2.json",
        f"samples/{NAME}/2.json",
    ]
    with pytest.raises(OpsError, match="reclamation_id has another format"):
        missing(tmp_path, told("InterventionView", str))
    generate(tmp_path / "other", told("InvoiceView", UUID))
    with pytest.raises(OpsError, match="reclamation_id may be null now"):
        missing(tmp_path / "other", told("InvoiceView", UUID | None))
