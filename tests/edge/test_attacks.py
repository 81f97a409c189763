"""What somebody tries who wants in: what is not theirs, other methods and hosts, guessed addresses and passwords."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from recipes import Scene
from stories import PLACE, Json, done, refused, wrong_fields
from system import PASSWORD, System

from sav_auth import passwords
from sav_auth.attempts import FREE_FOR_ACCOUNT
from sav_contracts.actor import Role
from sav_ops.home import REPO


async def test_nobody_gives_themselves_what_is_not_theirs(system: System) -> None:
    lea = await system.client()
    mine = {"role": "admin", "status": "active", "id": str(uuid4()), "email_verified": True, "version": 9}
    assert wrong_fields(await lea.ask("PATCH", "/me", json={"phone": None} | mine)) == mine.keys()
    new = {"email": f"{uuid4()}@example.com", "password": PASSWORD, "name": "Léa"}
    answer = await system.visitor().post("/auth/register", new | mine)
    assert wrong_fields(answer) == mine.keys()


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_method_is_what_it_says(scene: Scene, name: str) -> None:
    lea = scene.near.client
    assert done(await lea.ask("GET", "/me", headers={name: "DELETE"}))["id"] == lea.id
    claim = scene.near.records["reclamation"]
    answer = await lea.ask("POST", f"/reclamations/{claim}", headers={name: "GET"})
    refused(answer, 405, "method_not_allowed")
    refused(await lea.ask("GET", "/me/totp", headers={name: "DELETE"}), 405, "method_not_allowed")


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Uri"])
async def test_a_path_is_what_it_says(scene: Scene, name: str) -> None:
    lea = scene.near.client
    assert done(await lea.ask("GET", "/me", headers={name: "/api/articles"}))["id"] == lea.id
    refused(await lea.ask("GET", "/users", headers={name: "/api/me"}), 403, "not_allowed")


async def test_a_host_that_the_caller_names_stands_in_no_answer(scene: Scene) -> None:
    """Nor would it in a link of a message: those are written by services that no request reaches."""
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Server"):
        opening = {"article": "Évier", "problem_type": "leak", "description": "fuite", "place": PLACE}
        answer = await scene.near.client.ask(
            "POST", "/reclamations", json=opening, headers={name: "evil.test"}
        )
        assert done(answer, 201)
        assert "evil.test" not in f"{answer.headers} {answer.text}"
        assert answer.headers["location"].startswith("/api/")
        page = await scene.system.http.get("/", headers={name: "evil.test"})
        assert "evil.test" not in page.headers["location"]


async def test_no_answer_sets_a_cookie_or_allows_one(system: System) -> None:
    lea = await system.client()
    for answer in (
        await system.visitor().post("/auth/login", {"email": lea.email, "password": PASSWORD}),
        await lea.ask("GET", "/me", headers={"Origin": "https://evil.test"}),
    ):
        done(answer)
        assert not {"set-cookie", "access-control-allow-credentials"} & answer.headers.keys()


Asking = Callable[[str], tuple[str, Json]]


ASKED: dict[str, Asking] = {
    "signing up": lambda email: (
        "/auth/register",
        {"email": email, "password": "a password of four words", "name": "Zoé Petit"},
    ),
    "signing in": lambda email: ("/auth/login", {"email": email, "password": "not the password"}),
    "a forgotten password": lambda email: ("/auth/password-reset", {"email": email}),
    "an address to confirm": lambda email: ("/auth/verify-email/resend", {"email": email}),
}


# What no two answers have in common.
OWN = {"x-request-id", "idempotency-key", "date", "ratelimit"}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a password was hashed: what takes long enough to be seen from outside."""
    spent: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def hash(self, password: str) -> str:
            spent.append("hash")
            return hasher.hash(password)

        def verify(self, hash: str, password: str) -> bool:
            spent.append("hash")
            return hasher.verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return spent


@pytest.mark.parametrize("asking", ASKED.values(), ids=ASKED)
async def test_nobody_learns_who_has_an_account(scene: Scene, asking: Asking, work: list[str]) -> None:
    """By the answer, its headers, or how long it takes."""
    system = scene.system
    known, confirmed, barred = await system.client(), await system.client(), await system.client()
    done(
        await system.visitor().post(
            "/auth/verify-email", {"token": await system.link("verify-email", confirmed)}
        )
    )
    done(await scene.admin.post(f"/users/{barred.id}/deactivate"))
    invited, _ = await system.invited(Role.TECHNICIAN)
    answers = []
    for email in (f"{uuid4()}@example.com", known.email, confirmed.email, barred.email, invited):
        work.clear()
        path, body = asking(email)
        answer = await system.visitor().post(path, body)
        headers = {name: value for name, value in answer.headers.items() if name not in OWN}
        answers.append((answer.status_code, answer.content, headers, len(work)))
    assert all(one == answers[0] for one in answers), answers
    assert answers[0][0] in (202, 401)


async def test_guessing_one_persons_password_waits_wherever_it_comes_from(system: System) -> None:
    """And neither keeps them out of where they are known, nor anybody else out of anywhere."""
    lea, paul = await system.client(), await system.client()
    home = {"address": "198.51.100.77"}
    right = {"email": lea.email, "password": PASSWORD}
    done(await system.http.post("/api/auth/login", json=right, extensions=home))
    for number in range(FREE_FOR_ACCOUNT):
        wrong = {"email": lea.email, "password": f"guess number {number}"}
        refused(await system.visitor().post("/auth/login", wrong), 401, "not_signed_in")
    waits = await system.visitor().post("/auth/login", right)
    refused(waits, 429, "too_many_attempts")
    assert int(waits.headers["retry-after"]) >= 1
    done(await system.http.post("/api/auth/login", json=right, extensions=home))
    assert (await system.sign_in(paul.email)).id == paul.id


def test_the_page_on_security_names_tests_that_there_are() -> None:
    page = (REPO / "docs" / "security.md").read_text()
    files = set(re.findall(r"`(\w+/test_\w+\.py)`", page))
    assert files
    assert not [name for name in files if not (REPO / "tests" / name).exists()]
    for file, name in re.findall(r"`(\w+/test_\w+\.py)`: `(test_\w+)`", page):
        assert f"def {name}(" in (REPO / "tests" / file).read_text()
