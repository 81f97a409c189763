"""One trace from a request through every room that has to do with it, also where one of them was stopped meanwhile."""

import secrets

import pytest
from collector import Collector, traced
from eventually import eventually
from stories import done, items, qualified
from system import Person, System

CALLER = "00f067aa0ba902b7"


@pytest.fixture
def trace() -> str:
    """Each test's own: what another one set in motion may still be under way."""
    return secrets.token_hex(16)


def begun(trace: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{CALLER}-01"}


def whole(collector: Collector, id: str) -> None:
    """Every span of the trace has its parent in it, but the first, whose parent is the caller's."""
    trace = [span for span in collector.spans if span.trace == id]
    known = {span.id for span in trace}
    assert [span.name for span in trace if span.parent not in known] == [
        span.name for span in trace if span.kind == "SERVER"
    ]
    assert {span.parent for span in trace if span.kind == "SERVER"} == {CALLER}


async def test_a_request_and_all_that_comes_of_it_are_one_trace(
    system: System, marie: Person, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim = await qualified(lea, marie)
    path = f"/reclamations/{claim['id']}/assign"
    async with traced(monkeypatch) as collector:
        answer = await marie.ask("POST", path, json={"technician_id": karim.id}, headers=begun(trace))
        done(answer)

        async def told() -> bool:
            # Karim hears of the réclamation, and both of the visit.
            mails = [span for span in collector.named("effect deliver") if span.trace == trace]
            return any("send interventions.InterventionPlanned.v1" in collector.line(mail) for mail in mails)

        await eventually(told, 15)
    whole(collector, trace)
    mail = next(
        span
        for span in collector.named("effect deliver")
        if "send interventions.InterventionPlanned.v1" in collector.line(span)
    )
    assert collector.line(mail) == [
        "POST /reclamations/{reclamation_id}/assign",
        "send claims.AssignTechnician.v1",
        "process claims.AssignTechnician.v1",
        "send claims.TechnicianAssigned.v1",
        "process claims.TechnicianAssigned.v1",
        "send interventions.InterventionPlanned.v1",
        "process interventions.InterventionPlanned.v1",
        "effect deliver",
    ]
    server = collector.one("POST /reclamations/{reclamation_id}/assign")
    assert server.notes == {
        "http.request.method": "POST",
        "http.route": "/api/reclamations/{reclamation_id}/assign",
        "http.response.status_code": 200,
    }


async def test_a_timer_belongs_to_the_trace_of_whoever_set_it_also_after_a_restart(
    system: System, marie: Person, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim = await qualified(lea, marie)
    asked = {"reclamation_id": claim["id"], "technician_id": karim.id}
    [slot, *_] = await eventually(lambda: items(lea, "/slots", **asked))
    wanted = asked | {"start": slot["start"]}
    async with traced(monkeypatch) as collector:
        held = done(await lea.ask("POST", "/appointments/hold", json=wanted, headers=begun(trace)), 201)
        await system.stop("calendar")
        await system.sql(
            "calendar", "UPDATE task SET due = now() WHERE use = 'timer' AND lane = $1", held["id"]
        )
        await system.start("calendar")

        async def expired() -> bool:
            return any(
                span.parent == timer.id
                for timer in collector.named("timer expire_hold")
                for span in collector.spans
            )

        await eventually(expired, 15)
    whole(collector, trace)
    assert collector.line(collector.one("timer expire_hold")) == [
        "POST /appointments/hold",
        "send calendar.HoldSlot.v1",
        "process calendar.HoldSlot.v1",
        "timer expire_hold",
    ]
