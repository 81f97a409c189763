"""Pages as a person without a browser reads them: what is written there, and the form."""

from html.parser import HTMLParser
from typing import Any

import httpx
from chromium import Tab
from recipes import Scene
from stories import Json, done


class Page(HTMLParser):
    """What a page says, its links, and the fields of its form with their values; a choice has those that are offered."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language = self.title = self.text = self.action = self.method = ""
        self.fields: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._within: list[str] = []
        self._area = ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes |= said.keys()
        if tag in ("title", "style", "textarea"):
            self._within.append(tag)
        match tag:
            case "html":
                self.language = said["lang"]
            case "a":
                self.links.append(said["href"])
            case "form":
                self.action, self.method = said["action"], said["method"]
            case "textarea":
                self._area = said["name"]
                self.fields[self._area] = ""
            case "input" if said["type"] == "radio":
                self.options.setdefault(said["name"], []).append(said["value"])
                if "checked" in said:
                    self.fields[said["name"]] = said["value"]
            case "input" if said["type"] == "checkbox":
                self.options[said["name"]] = [said["value"]]
                if "checked" in said:
                    self.fields[said["name"]] = said["value"]
            case "input":
                self.fields[said["name"]] = said.get("value", "")
                self.kinds[said["name"]] = said["type"]

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        match self._within[-1:]:
            case ["title"]:
                self.title += data
            case ["textarea"]:
                # The first line break after the tag is no part of the value (HTML, 13.1.2.5).
                self.fields[self._area] += data.removeprefix("\n")
            case []:
                self.text += data + " "


async def opened(http: httpx.AsyncClient, name: str, token: str = "", **more: Any) -> Page:
    answer = await http.get(f"/{name}", params={"token": token} if token else {}, **more)
    assert answer.status_code == 200, answer.text
    return checked(answer)


def checked(answer: httpx.Response) -> Page:
    """The page; whatever it says, nothing keeps it, runs in it or learns where its reader was."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; ")
    assert "form-action 'self'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    page = Page(answer.text)
    assert "script" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert answer.headers["content-language"] == page.language
    return page


async def sent(
    http: httpx.AsyncClient, page: Page, status: int = 200, headers: Any = None, **typed: str
) -> Page:
    """What comes of pressing the button."""
    assert page.method == "post"
    answer = await http.post(page.action, data=page.fields | typed, headers=headers)
    assert answer.status_code == status, answer.text
    return checked(answer)


async def read_now(kind: str, scene: Scene, record: Json) -> Json:
    """The record as its client reads it by now; `kind` as in its path."""
    found: Json = done(await scene.near.client.get(f"/{kind}/{record['id']}"))
    return found


def unharmed(tab: Tab, site: str, token: str) -> None:
    """The browser found nothing that the page's policy forbids, asked nobody else, and told nobody where it was."""
    assert tab.complaints == [], tab.complaints
    for request in tab.requests:
        # What stands in its own address asks nobody: the browser's picture on a field for a day.
        assert request["url"].startswith((f"{site}/", "data:")), request["url"]
        assert not request["headers"].get("Referer")
        assert token not in request["url"] or request["method"] == "GET"
