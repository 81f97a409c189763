"""What the edge counts of its requests, and what a balancer reads."""

from prometheus_client.parser import text_string_to_metric_families
from recipes import Scene
from stories import done

from sav_chassis.telemetry import metrics


def counted() -> dict[tuple[str, str], float]:
    """How many requests were answered, by route and status."""
    return {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(metrics.exposition([]).decode())
        for sample in family.samples
        if sample.name == "sav_http_requests_total"
    }


async def test_requests_are_counted_by_route_and_status_whatever_is_called(scene: Scene) -> None:
    before = counted()
    lea, id = scene.near.client, scene.near.records["reclamation"]
    for path in (f"/reclamations/{id}", f"/reclamations/{id}", "/reclamations/x", f"/nothing/{id}"):
        await lea.get(path)
    await lea.ask("DELETE", "/me")
    await scene.system.visitor().get(f"/reclamations/{id}")
    grown = {key: value - before.get(key, 0) for key, value in counted().items() if value != before.get(key)}
    grown.pop(("POST /auth/login", "200"), None)  # whoever is there for a whole run signs in again
    one = "GET /reclamations/{reclamation_id}"
    assert grown == {
        (one, "200"): 2,
        (one, "422"): 1,
        (one, "401"): 1,
        ("none", "404"): 1,
        ("none", "405"): 1,
    }


async def test_a_balancer_reads_what_the_edges_own_port_says(scene: Scene) -> None:
    http = scene.system.http
    assert done(await http.get("/health/live")) == {"live": True}
    assert set(done(await http.get("/health/ready"))) == {"database", "broker", "read model", "edge.views"}
    assert (await http.get("/metrics")).status_code == 404
