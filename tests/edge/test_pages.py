"""The small pages about accounts, for people who follow a link where no frontend is set."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from eventually import eventually
from pages import checked, opened, sent
from recipes import Scene
from sessions import letter
from stories import done
from system import PASSWORD, Person, System, door
from uuid_utils.compat import uuid7

from sav_chassis.identity import Links
from sav_contracts.actor import Role
from sav_edge.pages import PAGES

ANOTHER = "battery horse correct"
NOWHERE = "AAAA" * 16
LINKED = [page for page in PAGES if page.linked]
FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"}


@pytest.fixture(scope="module")
async def lea(system: System) -> Person:
    return await system.client()


async def test_an_address_is_confirmed_by_the_button_not_by_the_link(
    system: System, http: httpx.AsyncClient, lea: Person
) -> None:
    [path] = re.findall(
        r"^http://[^/]+(/verify-email\?\S+)", await letter(system, lea.email, "Bienvenue"), re.M
    )
    for _ in range(3):  # a scanner of mails, and the person's own programs
        answer = await http.get(path)
        assert answer.status_code == 200
        assert (await http.head(path)).status_code == 200
    page = checked(answer)
    assert not done(await lea.get("/me"))["email_verified"]
    assert (page.language, page.title.partition(" – ")[0]) == ("fr", "Confirmez votre adresse")
    after = await sent(http, page)
    assert (after.language, after.action) == ("fr", "")
    assert "Votre adresse est confirmée" in after.text
    assert done(await lea.get("/me"))["email_verified"]


async def test_another_address_is_confirmed(system: System, http: httpx.AsyncClient) -> None:
    lea, email = await system.client(), f"{uuid7()}@example.com"
    done(await lea.ask("PATCH", "/me", json={"email": email, "current_password": PASSWORD}))
    link = await system.link("change-email", lea)
    after = await sent(http, await opened(http, "change-email", link))
    assert "Your new address is confirmed" in after.text
    assert done(await lea.get("/me"))["email"] == email


async def test_who_forgot_the_password_asks_for_a_link_and_chooses_another(
    system: System, http: httpx.AsyncClient
) -> None:
    lea = await system.client()
    asked = await sent(http, await opened(http, "forgotten-password"), email=f" {lea.email.upper()} ")
    unknown = await sent(http, await opened(http, "forgotten-password"), email=f"{uuid7()}@example.com")
    assert asked.text == unknown.text
    page = await opened(http, "password-reset", await system.link("password-reset", lea))
    assert page.kinds["password"] == page.kinds["again"] == "password"
    after = await sent(http, page, password=ANOTHER, again=ANOTHER)
    assert "Your password is changed" in after.text
    assert (await system.sign_in(lea.email, ANOTHER)).id == lea.id
    # Pressed twice: the same comes of it.
    assert "Your password is changed" in (await sent(http, page, password=ANOTHER, again=ANOTHER)).text
    over = await sent(http, page, 410, password=PASSWORD, again=PASSWORD)
    assert "This link was used or has expired" in over.text
    assert (over.action, over.links) == ("", ["/forgotten-password?lang=en"])


async def test_an_unconfirmed_address_gets_another_link(system: System, http: httpx.AsyncClient) -> None:
    omar = await system.client()
    before = await system.link("verify-email", omar)
    await sent(http, await opened(http, "new-confirmation"), email=omar.email)

    async def another() -> str | None:
        newest = await system.link("verify-email", omar)
        return newest if newest != before else None

    page = await opened(http, "verify-email", await eventually(another))
    assert "confirmed" in (await sent(http, page)).text


async def test_an_invitation_is_accepted(system: System, http: httpx.AsyncClient) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    page = await opened(http, "invitation", link, headers=FRENCH)
    after = await sent(http, page, password=ANOTHER, again=ANOTHER)
    assert "Votre compte est ouvert" in after.text
    assert (await system.sign_in(email, ANOTHER)).role == "technician"


async def test_a_client_says_how_the_visit_was(scene: Scene, http: httpx.AsyncClient) -> None:
    lea, id = scene.near.client, scene.near.records["feedback"]
    link = Links(scene.system.settings.link_secret).token("feedback", UUID(id))
    page = await opened(http, "feedback", link, headers=FRENCH)
    assert re.search(r"Visite du \d+(er)? \w+ \d{4} – REC-\d{4}-\d{6}", page.text)
    assert page.options["rating"] == ["1", "2", "3", "4", "5"]
    before = done(await lea.get(f"/feedback/{id}"))["version"]
    nasty = "Très bien,\r\nmerci </textarea><b>!"
    said: dict[str, Any] = {"rating": "2", "recommend": "10", "comment": nasty, "contact_me": "true"}
    assert "Nous avons votre réponse" in (await sent(http, page, **said)).text
    given = done(await lea.get(f"/feedback/{id}"))
    assert (given["version"], given["rating"], given["recommend"]) == (before + 1, 2, 10)
    assert (given["comment"], given["contact_me"]) == (nasty.replace("\r", ""), True)
    # Opened again it shows what was said; what is emptied is taken back.
    again = await opened(http, "feedback", link)
    assert {name: again.fields[name] for name in said} == said | {"comment": given["comment"]}
    del again.fields["contact_me"]
    await sent(http, again, rating="4", comment="")
    given = done(await lea.get(f"/feedback/{id}"))
    assert (given["rating"], given["comment"], given["contact_me"]) == (4, None, False)
    wrong = await sent(http, again, 422, rating="6")
    assert "Please check what you have typed" in wrong.text
    assert wrong.options["rating"] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"password": "short", "again": "short"}, "Un mot de passe compte de 10 à 128 caractères"),
        ({"password": ANOTHER, "again": ANOTHER + " "}, "Ce n’est pas la même saisie qu’au-dessus"),
        ({"password": ANOTHER, "again": ""}, "À remplir"),
        ({"password": "", "again": ""}, "À remplir"),
        ({"password": "password123", "again": "password123"}, "mot de passe"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_said_at_its_field_and_the_link_still_works(
    system: System, http: httpx.AsyncClient, typed: dict[str, str], says: str
) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    page = await sent(http, await opened(http, "invitation", link, headers=FRENCH), 422, **typed)
    assert "Vérifiez votre saisie" in page.text
    assert says in page.text
    assert page.fields == {"token": link, "lang": "fr", "password": "", "again": ""}
    await sent(http, page, password=ANOTHER, again=ANOTHER)
    assert (await system.sign_in(email, ANOTHER)).email == email


async def test_what_was_typed_stays_and_is_only_text(http: httpx.AsyncClient) -> None:
    nasty = '"><script>alert(1)</script>{{ 7 * 7 }}'
    page = await sent(
        http,
        await opened(http, "first-admin", NOWHERE),
        422,
        email="nobody",
        name=nasty,
        password=ANOTHER,
        again=ANOTHER,
    )
    assert page.fields["name"] == nasty
    assert page.fields["email"] == "nobody"
    assert page.fields["password"] == page.fields["again"] == ""


@pytest.mark.parametrize("token", [NOWHERE, "x", "é\x00'\"<b>", "x" * 1000, "x" * 1001], ids=lambda t: t[:9])
@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
async def test_a_link_that_is_not_ours_does_nothing(http: httpx.AsyncClient, page: Any, token: str) -> None:
    filled = {
        "email": "a@example.com",
        "name": "Alex",
        "password": ANOTHER,
        "again": ANOTHER,
        "rating": "4",
        "accept": "true",
        "confirm": "true",
        "outcome": "paid",
        "problem_type": "leak",
        "description": "fuite",
    }
    typed = {name: value for name, value in filled.items() if name in page.names}
    answer = await http.post(f"/{page.name}", data={page.key: token, "lang": "fr"} | typed)
    is_one = page.key == "token" and token == NOWHERE
    assert answer.status_code == (410 if is_one else 400), answer.text
    refusal = checked(answer)
    assert refusal.action == ""
    assert refusal.language == "fr"


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
async def test_a_link_that_was_cut_off_says_so_before_anything_is_typed(
    http: httpx.AsyncClient, page: Any
) -> None:
    whole = NOWHERE if page.key == "token" else str(uuid4())
    for link in ({}, {page.key: ""}, {page.key: whole[:-1]}):
        for answer in (
            await http.get(f"/{page.name}", params=link, headers=FRENCH),
            await http.post(f"/{page.name}", data=link | {"lang": "fr"}),
        ):
            assert answer.status_code == 400
            said = checked(answer)
            assert "Ce lien est incomplet" in said.text
            # Nobody has a message who scanned a label.
            assert ("étiquette" if page.name == "report" else "notre message") in said.text
            assert said.action == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"content": b"token=%FF"}, 400),
        ({"content": b"token"}, 400),
        ({"content": b"token=a&token=b"}, 400),
        ({"content": b"&".join(b"f%d=x" % number for number in range(60))}, 400),
        ({"content": b"token=" + b"x" * 70_000}, 413),
        ({"json": {"token": "x"}}, 415),
        ({"files": {"token": b"x"}}, 415),
    ],
    ids=["not utf-8", "no pair", "twice", "many", "long", "json", "multipart"],
)
async def test_what_is_no_form_of_ours_is_refused_as_a_page(
    http: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"} if "content" in body else {}
    answer = await http.post("/verify-email", **body, headers=form)
    assert answer.status_code == status, answer.text
    checked(answer)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_each_page_is_there_in_both_languages(http: httpx.AsyncClient, page: Any) -> None:
    link = {page.key: NOWHERE} if page.linked else {}
    for accepts, said, language in (
        ("en", {}, "en"),
        ("fr", {}, "fr"),
        ("en", {"lang": "fr"}, "fr"),
        ("fr", {"lang": "en"}, "en"),
        ("fr", {"lang": "x"}, "fr"),
        ("", {}, "en"),
    ):
        answer = await http.get(f"/{page.name}", params=link | said, headers={"Accept-Language": accepts})
        shown = checked(answer)
        assert shown.language == language
        assert getattr(page.title, language) in shown.title
        if answer.status_code == 200:
            [other] = [link for link in shown.links if "lang=" in link]
            switched = checked(await http.get(other))
            assert switched.language == {"fr": "en", "en": "fr"}[language]
            kept = shown.fields | {"lang": switched.language}
            # Drawn anew for each form.
            assert switched.fields | {"once": ""} == kept | {"once": ""}


async def test_no_token_is_in_the_audit_or_the_logs(
    scene: Scene, http: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    email, link = await scene.system.invited(Role.TECHNICIAN)
    id = str(uuid4())
    headers = {"X-Request-ID": id}
    page = await opened(http, "invitation", link, headers=headers)
    await sent(http, page, headers=headers, password=ANOTHER, again=ANOTHER)
    await sent(http, page, 410, headers=headers, password=PASSWORD, again=PASSWORD)

    async def kept() -> Any:
        found = done(await scene.admin.get("/audit", request_id=id))["items"]
        return found if len(found) == 3 else None

    seen = [(each["route"], each["status"]) for each in reversed(await eventually(kept))]
    assert seen == [("GET /invitation", 200), ("POST /invitation", 200), ("POST /invitation", 410)]
    rows = await scene.system.sql("edge", "SELECT r::text AS row FROM request r WHERE request_id = $1", id)
    assert len(rows) == 3
    said = "".join(capfd.readouterr())
    assert id in said
    for secret in (link, ANOTHER, email):
        assert secret not in said
        assert not [row for row in rows if secret in row["row"]]


async def test_guesses_are_counted_like_sign_ins(system: System) -> None:
    here: Any = {"extensions": {"address": "198.51.100.77"}}
    async with door(system.settings.model_copy(update={"rate_limits_scale": 0.1})) as http:
        answers = [
            await http.post("/verify-email", data={"token": NOWHERE, "lang": "fr"}, **here) for _ in range(4)
        ]
        assert [answer.status_code for answer in answers] == [410, 410, 429, 429]
        page = checked(answers[-1])
        assert "Trop de requêtes" in page.text
        assert page.fields == {"token": NOWHERE, "lang": "fr"}
        assert int(answers[-1].headers["retry-after"]) > 0
        # And with them those at the API.
        login = {"email": "a@example.com", "password": PASSWORD}
        assert (await http.post("/api/auth/login", json=login, **here)).status_code == 429


async def test_while_auth_is_away_the_form_may_be_sent_again(system: System, http: httpx.AsyncClient) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    page = await opened(http, "invitation", link)
    await system.stop("auth")
    try:
        away = await sent(http, page, 504, password=ANOTHER, again=ANOTHER)
    finally:
        await system.start("auth")
    assert "That did not work We cannot do this just now." in away.text
    assert away.fields["token"] == link

    async def accepted() -> bool:
        answer = await http.post(away.action, data=away.fields | {"password": ANOTHER, "again": ANOTHER})
        return answer.status_code == 200

    assert await eventually(accepted)
    assert (await system.sign_in(email, ANOTHER)).email == email


async def test_a_signed_in_caller_is_nobody_special_here(scene: Scene, http: httpx.AsyncClient) -> None:
    for headers in (scene.admin.headers(), {"Authorization": "Bearer nonsense"}):
        answer = await http.get("/verify-email", params={"token": NOWHERE}, headers=headers)
        assert answer.status_code == 200


async def test_the_firms_logo_stands_on_every_page(
    system: System, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><path d="M0 0h4v1z"/></svg>'
    logo = tmp_path / "logo.SVG"
    logo.write_text(drawn)
    monkeypatch.setenv("SAV_LOOK", json.dumps({"logo": str(logo)}))
    shown = '<img src="/pages/logo" alt="">'
    async with door(system.settings.model_copy(update={"rate_limits_scale": 0})) as branded:
        for path in ("/forgotten-password", "/invitation", "/back-from-payment"):
            assert shown in (await branded.get(path)).text
            assert shown not in (await http.get(path)).text
        picture = await branded.get("/pages/logo")
    assert (picture.status_code, picture.text) == (200, drawn)
    assert picture.headers["content-type"] == "image/svg+xml"
    # Opened by itself it runs nothing.
    assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert (await http.get("/pages/logo")).status_code == 404


async def test_other_methods_are_refused(http: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = await http.request(method, "/verify-email")
        assert answer.status_code == 405
