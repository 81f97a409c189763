"""The pages on which a client answers an estimate and withdraws: by form, and in a browser by keyboard."""

from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from chromium import Browser
from eventually import eventually
from pages import checked, opened, read_now, sent, unharmed
from papers import text_of
from recipes import Scene
from recipes.interventions import to_answer, to_withdraw
from stories import done
from system import door

FRENCH = {"Accept-Language": "fr"}
now = partial(read_now, "estimates")


async def test_an_estimate_is_read_and_accepted_by_its_link(scene: Scene, http: httpx.AsyncClient) -> None:
    estimate = await to_answer(scene, scene.near)
    for _ in range(3):
        page = await opened(http, "estimate", estimate["token"], headers=FRENCH)
    assert (await now(scene, estimate))["status"] == "sent", "looking is no answer"
    for said in (
        *(estimate["reference"], estimate["nature"], estimate["seller"]["name"], "Total TTC"),
        "Vous pouvez vous rétracter sans motif dans un délai de 14 jours",
        "Accepter, avec obligation de paiement",
        estimate["seller"]["registration"],
        "1,75 × 62,00 € / heure",
        *(mention for total in estimate["vat"] if (mention := total["mention"])),
    ):
        assert said in page.text
    early: Any = {"accept": "true", "keeps_parts": "true", "begins_early": "true"}
    wrong = await sent(http, page, 422, **early)
    assert "Vérifiez votre saisie" in wrong.text
    assert "reconnaissez que" in wrong.text
    assert wrong.fields["begins_early"] == "true"
    after = await sent(http, wrong, accept="true", acknowledges_loss="true")
    assert "Votre réponse est enregistrée Merci. Le devis est accepté." in after.text
    assert "Vous pouvez vous rétracter jusqu’au" in after.text
    kept = await now(scene, estimate)
    assert kept["status"] == "accepted"
    said = kept["accepted"]
    assert (said["how"], said["keeps_parts"], said["begins_early"]) == ("link", True, True)
    # Opened again it says what became of it, and has no form.
    again = await opened(http, "estimate", estimate["token"])
    assert again.action == ""
    assert "The estimate is accepted." in again.text


async def test_an_estimate_is_refused_by_its_link(scene: Scene, http: httpx.AsyncClient) -> None:
    estimate = await to_answer(scene, scene.near)
    page = await opened(http, "estimate", estimate["token"])
    await sent(http, page, 422)  # no button was pressed
    after = await sent(http, page, accept="false", reason="Trop <b>cher</b>")
    assert "The estimate is refused." in after.text
    kept = await now(scene, estimate)
    assert (kept["status"], kept["reason"]) == ("refused", "Trop <b>cher</b>")
    late = await sent(http, page, 410, accept="true")
    assert "This link is incomplete or no longer valid" in late.text


async def test_withdrawing_has_two_steps(scene: Scene, http: httpx.AsyncClient) -> None:
    estimate = await to_withdraw(scene, scene.near)
    page = await opened(http, "withdraw", estimate["token"], headers=FRENCH)
    assert (await now(scene, estimate))["withdrawal_asked_at"] is None, "looking is no withdrawal"
    second = await sent(http, page, confirm="false")
    assert "Rien n’est encore annulé" in second.text
    assert (await now(scene, estimate))["status"] == "accepted"
    after = await sent(http, second, confirm="true")
    assert "Votre rétractation est confirmée" in after.text
    assert "accusé de réception" in after.text
    assert (await now(scene, estimate))["status"] == "withdrawn"
    again = await opened(http, "withdraw", estimate["token"], headers=FRENCH)
    assert "Vous pouvez vous rétracter jusqu’au" in page.text
    assert "Vous pouvez vous rétracter jusqu’au" not in again.text
    # Pressed twice: the same comes of it.
    assert "Votre rétractation est confirmée" in (await sent(http, second, confirm="true")).text


async def test_its_paper_is_read_by_the_same_link(scene: Scene, http: httpx.AsyncClient) -> None:
    for name, made in (("estimate", to_answer), ("withdraw", to_withdraw)):
        estimate = await made(scene, scene.near)
        page = await opened(http, name, estimate["token"], headers=FRENCH)
        assert "Télécharger ce devis (PDF)" in page.text
        [link] = [link for link in page.links if link.startswith(f"/{name}.pdf?")]

        async def printed(link: str = link) -> httpx.Response | None:
            answer = await http.get(link)
            return answer if answer.status_code != 503 else None

        paper = await eventually(printed)
        assert paper.status_code == 200, paper.text
        assert paper.headers["content-type"] == "application/pdf"
        assert estimate["reference"] in " ".join(text_of(paper.content).split())
        assert paper.headers["cache-control"] == "no-store"
        assert paper.headers["referrer-policy"] == "no-referrer"
        assert paper.headers["x-robots-tag"] == "noindex"
        assert paper.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert f"{estimate['reference']}.pdf" in paper.headers["content-disposition"]


@pytest.mark.parametrize("name", ["estimate", "withdraw"])
async def test_without_its_link_nobody_reads_the_paper(
    scene: Scene, http: httpx.AsyncClient, name: str
) -> None:
    own, other = (to_answer, to_withdraw) if name == "estimate" else (to_withdraw, to_answer)
    cut_off = (await own(scene, scene.near))["token"][:-4]
    for token in ((await other(scene, scene.near))["token"], "AAAA" * 16):
        refusal = await http.get(f"/{name}.pdf", params={"token": token, "lang": "fr"})
        assert refusal.status_code == 410
        assert "Ce lien est incomplet ou n’est plus valable" in checked(refusal).text
    for link in ({"token": cut_off}, {"token": "x"}, {}):
        refusal = await http.get(f"/{name}.pdf", params=link, headers=FRENCH)
        assert refusal.status_code == 400
        assert "Ce lien est incomplet" in checked(refusal).text


async def test_the_token_of_a_paper_is_in_no_log_and_no_audit(
    scene: Scene, http: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    estimate, id = await to_answer(scene, scene.near), str(uuid4())
    query = {"token": estimate["token"]}

    async def printed() -> bool:
        answer = await http.get("/estimate.pdf", params=query, headers={"X-Request-ID": id})
        return answer.status_code == 200

    assert await eventually(printed)

    async def kept() -> Any:
        found = done(await scene.admin.get("/audit", request_id=id))["items"]
        return found if found and found[0]["status"] == 200 else None

    assert {each["route"] for each in await eventually(kept)} == {"GET /estimate.pdf"}
    rows = await scene.system.sql("edge", "SELECT r::text AS row FROM request r WHERE request_id = $1", id)
    said = "".join(capfd.readouterr())
    assert id in said
    for text in (said, *(row["row"] for row in rows)):
        assert estimate["token"] not in text


async def test_nobody_confirms_what_they_have_not_said(scene: Scene, http: httpx.AsyncClient) -> None:
    estimate = await to_withdraw(scene, scene.near)
    page = await opened(http, "withdraw", estimate["token"])
    refusal = await sent(http, page, 409, confirm="true")
    assert "Say first that you want to withdraw" in refusal.text
    assert (await now(scene, estimate))["status"] == "accepted"


async def test_a_link_of_another_kind_opens_neither(scene: Scene, http: httpx.AsyncClient) -> None:
    answer, withdraw = await to_answer(scene, scene.near), await to_withdraw(scene, scene.near)
    for name, token in (("withdraw", answer["token"]), ("estimate", withdraw["token"])):
        refusal = await http.get(f"/{name}", params={"token": token})
        assert refusal.status_code == 410
        assert checked(refusal).action == ""


async def test_an_estimate_is_accepted_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    estimate = await to_answer(scene, scene.near)
    tab = await chromium.tab()
    await tab.goes(f"{site}/estimate?token={estimate['token']}&lang=fr")
    controls = await tab.controls()
    assert controls["Accepter, avec obligation de paiement"] == controls["Refuser"] == "button"
    await tab.tab_to("begins_early")
    await tab.press("Space")
    await tab.tab_to("acknowledges_loss")
    await tab.press("Space")
    await tab.tab_to("accept")
    await tab.submit()
    assert "Votre réponse est enregistrée" in await tab.text()
    assert (await now(scene, estimate))["accepted"]["begins_early"]
    unharmed(tab, site, estimate["token"])


async def test_a_client_withdraws_by_keyboard(scene: Scene, site: str, chromium: Browser) -> None:
    estimate = await to_withdraw(scene, scene.near)
    tab = await chromium.tab()
    await tab.goes(f"{site}/withdraw?token={estimate['token']}&lang=fr")
    assert "Renoncer au contrat ici" in await tab.controls()
    await tab.tab_to("confirm")
    await tab.submit()
    assert "Confirmer la rétractation" in await tab.controls()
    await tab.tab_to("confirm")
    await tab.submit()
    assert "Votre rétractation est confirmée" in await tab.text()
    assert (await now(scene, estimate))["status"] == "withdrawn"
    unharmed(tab, site, estimate["token"])


async def test_who_is_told_to_wait_keeps_what_was_typed(scene: Scene) -> None:
    estimate = await to_answer(scene, scene.near)
    here: Any = {"extensions": {"address": "198.51.100.78"}}
    typed = {"token": estimate["token"], "lang": "fr", "reason": "Trop cher pour nous.", "accept": "maybe"}
    async with door(scene.system.settings.model_copy(update={"rate_limits_scale": 0.1})) as http:
        answers = [await http.post("/estimate", data=typed, **here) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    page = checked(answers[-1])
    assert "Trop de requêtes" in page.text
    assert page.fields["reason"] == "Trop cher pour nous."
    assert answers[-1].headers["ratelimit"].startswith('"sign_ins";r=0;')
