"""A report from the first word to the archive: who reads what of it, its photos and its paper, and when."""

from typing import Any

import stories
from eventually import eventually
from papers import PDF, text_of
from pictures import picture
from stories import Json, done, items, refused, types
from system import Person, System

RED, WIDE = ("avant.jpg", picture()), ("apres.jpg", picture(size=(96, 48)))


async def photographed(who: Person, visit: Json, *files: tuple[str, bytes]) -> list[Json]:
    path = f"/interventions/{visit['id']}/photos"
    answer = await who.ask("POST", path, files=[("photos", file) for file in files])
    found: list[Json] = done(answer, 201)["items"]
    return found


async def write(technician: Person, visit: Json, **written: Any) -> Any:
    return await technician.ask("PUT", f"/interventions/{visit['id']}/report", json=written)


async def paper(who: Person, path: str) -> str:
    """What stands on a PDF, once it is made."""

    async def made() -> bytes | None:
        answer = await who.get(path)
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "application/pdf"
            return answer.content
        refused(answer, 503, "not_yet_known")
        return None

    return text_of(await eventually(made))


async def test_a_report_is_written_validated_corrected_and_archived(system: System, marie: Person) -> None:
    client, stranger, admin = await system.client(), await system.client(), await system.admin()
    manager, technician = marie, await system.technician("Νίκη 王小明")
    _, visit = await stories.assigned(client, manager, technician)
    path = f"/interventions/{visit['id']}"
    # A phone that was away sends its photos first: the visit has not begun here.
    before, after = await photographed(technician, visit, RED, WIDE)
    await stories.move(technician, visit, "accepted", "en_route", "on_site", "in_progress")
    [again] = await photographed(manager, visit, RED)
    assert again["id"] == before["id"]
    paper_sent = await technician.ask("POST", f"{path}/photos", files={"photos": ("a.pdf", PDF)})
    refused(paper_sent, 415, "unsupported_media_type")
    done(await write(technician, visit, findings="joint u"))
    hashes = [after["file"]["sha256"]]
    whole = {"findings": "joint usé", "work_done": "joint changé", "photos": hashes}
    done(await write(technician, visit, **whole))
    refused(await write(technician, visit, **whole | {"photos": ["0" * 64]}), 422, "invalid")
    work = {"solution": "joint changé", "labour": [{"description": "Pose du joint", "minutes": 30}]}
    done(await technician.ask("PUT", f"{path}/work", json=work))
    await stories.move(technician, visit, "completed")
    done(await technician.post(f"{path}/report/sign", {"refused": "le client était parti"}))
    refused(await write(technician, visit, **whole), 409, "signed_already")
    refused(await technician.get(f"{path}/report.pdf"), 404, "not_found")

    done(await technician.post(f"{path}/report/submit"))
    read = await paper(manager, f"{path}/report.pdf")
    for said in ("Rapport d’intervention", "joint usé", "Νίκη 王小明", "le client était parti", "Photo 1"):
        assert said in read, said
    for hidden in ("/report", "/report.pdf", f"/photos/{after['id']}"):
        refused(await client.get(f"{path}{hidden}"), 404, "not_found")
    assert await items(client, f"{path}/photos") == await items(client, f"{path}/reports") == []
    assert len(await items(technician, f"{path}/photos")) == 2
    assert "VisitPhotoAdded" in await types(manager, {"id": visit["reclamation_id"]})

    done(await manager.post(f"{path}/report/validate"))
    [shown] = await items(client, f"{path}/photos")
    assert shown["id"] == after["id"]
    seen = await client.get(f"{path}/photos/{after['id']}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    refused(await client.get(f"{path}/photos/{before['id']}"), 404, "not_found")
    assert await paper(client, f"{path}/report.pdf") == read
    assert "VisitPhotoAdded" not in await types(client, {"id": visit["reclamation_id"]})
    for closed in ("/photos", f"/photos/{after['id']}", "/reports", "/report", "/report.pdf"):
        refused(await stranger.get(f"{path}{closed}"), 404, "not_found")

    await corrected(client, technician, manager, visit)
    refused(await manager.post(f"{path}/report/archive"), 403, "not_allowed")
    done(await admin.post(f"{path}/report/archive"))
    assert {one["status"] for one in await items(client, f"{path}/reports")} == {"archived"}
    assert done(await client.get(f"{path}/report"))["edition"] == 2


async def corrected(client: Person, technician: Person, manager: Person, visit: Json) -> None:
    """A second edition; whoever read the first one still can."""
    path = f"/interventions/{visit['id']}"
    first = done(await client.get(f"{path}/report"))
    refused(await write(technician, visit, findings="joint usé", work_done="autre"), 409, "report_final")
    done(await manager.post(f"{path}/report/send-back", {"reason": "la vanne manque"}))
    done(await write(technician, visit, findings="joint usé", work_done="joint et vanne changés"))
    assert done(await technician.get(f"{path}/report"))["edition"] == 2
    assert done(await client.get(f"{path}/report"))["edition"] == 1
    refused(await technician.get(f"{path}/report.pdf"), 404, "not_found")
    done(await technician.post(f"{path}/report/sign", {"refused": "par téléphone"}))
    done(await technician.post(f"{path}/report/submit"))
    done(await manager.post(f"{path}/report/validate"))
    editions = await items(client, f"{path}/reports", sort="created_at")
    assert [(one["edition"], one["status"]) for one in editions] == [(1, "validated"), (2, "validated")]
    assert done(await client.get(f"{path}/reports/{first['id']}")) == first
    assert "édition 2" in await paper(client, f"{path}/report.pdf")
    assert "édition" not in await paper(client, f"{path}/reports/{first['id']}.pdf")
