"""The description of the events, for systems that have no account yet."""

from stories import done, refused
from system import System

from sav_contracts.catalogue import EVENTS
from sav_contracts.claims import ReclamationCreated
from sav_ops import asyncapi
from sav_ops.revisions import schema


async def test_anybody_reads_how_to_subscribe(system: System) -> None:
    answer = await system.http.get("/asyncapi.json")
    assert answer.text == asyncapi.document()
    assert answer.headers["content-type"] == "application/json"


async def test_the_schema_of_every_event_is_where_its_header_says(system: System) -> None:
    for name, event in EVENTS.items():
        assert done(await system.http.get(f"/schemas/{name}.json")) == schema(event)


async def test_there_are_schemas_of_events_only(system: System) -> None:
    name = ReclamationCreated.type_name()
    for unknown in ("claims.OpenReclamation.v1.json", name, f"{name}/1.json", "..%2Ftopology.json"):
        refused(await system.http.get(f"/schemas/{unknown}"), 404, "not_found")
