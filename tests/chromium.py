"""Chromium without a window, driven over its pipe (Chrome DevTools Protocol): a person with a keyboard, and no script."""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

Json = dict[str, Any]

# Debian's and Ubuntu's package is `chromium`.
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# Bytes of one message: a picture of a page.
LARGEST = 50_000_000
SECONDS = 30
KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " ")}


class Tab:
    """One page of the browser: what it asked servers for, and what it complained about."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser, self._session = browser, session
        self.requests: list[Json] = []
        self.complaints: list[str] = []
        self._loaded = asyncio.Event()

    async def ask(self, method: str, **parameters: Any) -> Json:
        return await self._browser.ask(method, self._session, **parameters)

    def hears(self, method: str, told: Json) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requests.append(told["request"])
            case "Log.entryAdded":
                said = told["entry"]
                # Not what it says of password managers, which want to know whose password it is (the link knows, not the
                # page), nor that a form was refused.
                refused = "the server responded with a status of 4" in said["text"]
                if said["source"] != "recommendation" and not refused:
                    self.complaints.append(f"{said['source']}: {said['text']}")

    async def goes(self, url: str) -> None:
        """To that address, until all of it is there."""
        self._loaded.clear()
        done = await self.ask("Page.navigate", url=url)
        assert "errorText" not in done, done
        await self.loads()

    async def loads(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self._loaded.wait()

    async def says(self, expression: str) -> Any:
        """What this is in the page; its own scripts do not run."""
        done = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def press(self, key: str) -> None:
        name, code, text = KEYS[key]
        about = {"key": name, "code": key, "windowsVirtualKeyCode": code}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **about)

    async def submit(self) -> None:
        """Enter on what has the focus, until the answer is there."""
        self._loaded.clear()
        await self.press("Enter")
        await self.loads()

    async def tab_to(self, name: str) -> None:
        """With the Tab key from field to field, as whoever has no mouse; `button` is the form's button."""
        here = "(document.activeElement.name || document.activeElement.tagName.toLowerCase())"
        for _ in range(30):
            if await self.says(here) == name:
                return
            await self.press("Tab")
        raise AssertionError(f"no way to {name} by keyboard")

    async def type(self, name: str, text: str) -> None:
        await self.tab_to(name)
        await self.ask("Input.insertText", text=text)

    async def text(self) -> str:
        return str(await self.says("document.body.innerText"))

    async def controls(self) -> dict[str, str]:
        """The names by which a screen reader knows what can be filled in or pressed, with their roles."""
        nodes = (await self.ask("Accessibility.getFullAXTree"))["nodes"]
        roles = ("textbox", "radio", "checkbox", "button", "link")
        found = [node for node in nodes if node.get("role", {}).get("value") in roles]
        return {node.get("name", {}).get("value", ""): node["role"]["value"] for node in found}

    async def picture(self, path: Path, width: int = 800, height: int = 900) -> None:
        """How it looks, on a screen of that size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        await self.ask("Emulation.clearDeviceMetricsOverride")


class Browser:
    """The running browser."""

    def __init__(self, reader: asyncio.StreamReader, writing: int) -> None:
        self._reader, self._writing = reader, writing
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._tabs: dict[str, Tab] = {}

    async def listen(self) -> None:
        while True:
            told = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif tab := self._tabs.get(told.get("sessionId", "")):
                tab.hears(told["method"], told["params"])

    async def ask(self, method: str, session: str | None = None, **parameters: Any) -> Json:
        id = next(self._numbers)
        asked: Json = {"id": id, "method": method, "params": parameters}
        if session:
            asked["sessionId"] = session
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        os.write(self._writing, json.dumps(asked).encode() + b"\0")
        async with asyncio.timeout(SECONDS):
            told = await answer
        assert "error" not in told, f"{method}: {told}"
        result: Json = told["result"]
        return result

    async def tab(self, language: str = "en") -> Tab:
        """A new, empty page of somebody who reads this language; scripts are off."""
        context = (await self.ask("Target.createBrowserContext"))["browserContextId"]
        target = await self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = self._tabs[attached["sessionId"]] = Tab(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            await tab.ask(f"{domain}.enable")
        await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        agent = (await self.ask("Browser.getVersion"))["userAgent"]
        await tab.ask("Network.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        return tab


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium, until the end of the block."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.fail(
            "These tests open the pages in Chromium, and it is not installed here: apt-get install chromium",
            pytrace=False,
        )
    # The browser reads from 3 and writes to 4, whatever these descriptors are here.
    (its, ours), (back, forth) = os.pipe(), os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            f'exec "$0" "$@" 3<&{its} 4>&{forth}',
            program,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            pass_fds=(its, forth),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        os.close(its)
        os.close(forth)
        reader = asyncio.StreamReader(limit=LARGEST)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(back, "rb")
        )
        one = Browser(reader, ours)
        listening = asyncio.create_task(one.listen())
        try:
            yield one
        finally:
            listening.cancel()
            pipe.close()
            os.close(ours)
            process.kill()
            await process.wait()
