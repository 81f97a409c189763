"""The description of the events, for systems that have no account yet."""

from stories import done, refused
from system import System

from sav_chassis.envelope import HEADER
from sav_chassis.testing import enveloped
from sav_contracts.claims.reclamation import ReclamationCreated
from sav_contracts.message_types import EVENTS
from sav_contracts.published import revisions
from sav_ops.documents import asyncapi
from sav_ops.documents.schema_revisions import schema


async def test_anybody_reads_how_to_subscribe(system: System) -> None:
    answer = await system.http.get("/asyncapi.json")
    assert answer.text == asyncapi.document()
    assert answer.headers["content-type"] == "application/json"


async def test_the_schema_of_every_event_bears_the_name_that_its_header_says(system: System) -> None:
    for name, event in EVENTS.items():
        told = enveloped(event.model_validate_json(revisions("samples", name)[-1])).to_amqp().headers
        served = done(await system.http.get(f"/schemas/{name}.json"))
        assert served == {"$id": told[f"{HEADER}dataschema"]} | schema(event)


async def test_there_are_schemas_of_events_only(system: System) -> None:
    name = ReclamationCreated.type_name()
    for unknown in ("claims.OpenReclamation.v1.json", name, f"{name}/1.json", "..%2Ftopology.json"):
        refused(await system.http.get(f"/schemas/{unknown}"), 404, "not_found")
