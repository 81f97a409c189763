"""From where a request comes, and who is believed about it."""

from ipaddress import ip_network

import pytest
from recipes import Scene
from stories import done, refused
from system import PASSWORD, System, door

from sav_edge.addresses import Addresses, client_network
from sav_edge.request_context import joined

PROXIES = Addresses([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
NOBODY = Addresses([])
STRANGER, PROXY = "203.0.113.5", "10.0.0.1"


def client(addresses: Addresses, peer: str | None, *headers: tuple[str, str]) -> str | None:
    return addresses.client(peer, joined((name.encode(), value.encode()) for name, value in headers))


def plain(value: str) -> tuple[str, str]:
    return "x-forwarded-for", value


def marked(value: str) -> tuple[str, str]:
    return "forwarded", value


@pytest.mark.parametrize("header", [plain("198.51.100.9"), marked("for=198.51.100.9")])
def test_nobody_is_believed_who_is_not_trusted(header: tuple[str, str]) -> None:
    assert client(NOBODY, PROXY, header) == PROXY
    assert client(PROXIES, STRANGER, header) == STRANGER


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], PROXY),
        ([plain("198.51.100.9")], "198.51.100.9"),
        ([plain("192.0.2.1, 198.51.100.9")], "198.51.100.9"),
        ([plain("192.0.2.1, 198.51.100.9, 10.1.1.1")], "198.51.100.9"),
        ([plain("192.0.2.1"), plain("198.51.100.9")], "198.51.100.9"),
        ([plain("198.51.100.9:4711")], "198.51.100.9"),
        ([plain("[2001:db8::1]:4711")], "2001:db8::1"),
        ([plain("::ffff:198.51.100.9")], "198.51.100.9"),
        ([plain("10.1.1.1")], "10.1.1.1"),
        ([plain("198.51.100.9, nonsense")], PROXY),
        ([plain("198.51.100.9, nonsense, 10.1.1.1")], "10.1.1.1"),
        ([plain("")], PROXY),
        ([marked("for=192.0.2.1, for=198.51.100.9;proto=https;by=10.0.0.1")], "198.51.100.9"),
        ([marked('for="[2001:db8::1]:4711"')], "2001:db8::1"),
        ([marked("for=_hidden")], PROXY),
        ([marked("for=unknown, for=10.1.1.1")], "10.1.1.1"),
        ([plain("198.51.100.9"), marked("for=198.51.100.9")], "198.51.100.9"),
        # One of them came with the request.
        ([plain("198.51.100.9"), marked("for=192.0.2.1")], PROXY),
    ],
)
def test_the_last_that_is_no_proxy_of_ours_is_the_client(headers: list[tuple[str, str]], found: str) -> None:
    assert client(PROXIES, PROXY, *headers) == found


def test_a_socket_without_an_address_has_none() -> None:
    assert client(PROXIES, None, plain("198.51.100.9")) is None
    assert client_network(None) == "nowhere"


async def test_the_address_goes_with_the_command(system: System) -> None:
    """What a person reads of their sign-ins: a proxy's word, where it is trusted."""
    believing = system.settings.model_copy(update={"trusted_proxies": [ip_network("10.0.0.0/8")]})
    lea = await system.client()
    async with door(believing) as http:
        for peer, said in ((STRANGER, "192.0.2.1"), (PROXY, "198.51.100.9")):
            login = {"email": lea.email, "password": PASSWORD}
            headers = {"X-Forwarded-For": said}
            done(
                await http.post("/api/auth/login", json=login, headers=headers, extensions={"address": peer})
            )
    seen = [one["address"] for one in done(await lea.get(f"/users/{lea.id}/logins"))["items"]]
    assert seen[:2] == ["198.51.100.9", STRANGER]


@pytest.mark.parametrize(
    "name", ["X-User-Id", "X-User", "X-Role", "X-Roles", "X-Forwarded-User", "Remote-User"]
)
async def test_nobody_is_somebody_else_by_a_header(scene: Scene, name: str) -> None:
    lea, admin = scene.near.client, scene.admin
    for said in (admin.id, admin.email, "admin"):
        assert done(await lea.ask("GET", "/me", headers={name: said}))["id"] == lea.id
        refused(await lea.ask("GET", "/policies", headers={name: said}), 403, "not_allowed")
        refused(await scene.system.visitor().ask("GET", "/me", headers={name: said}), 401, "not_signed_in")
