"""A part of a measure in a process of its own: an async generator of one of these files, whose words come back here.

async with apart(relay.drain, settings, events=10_000) as part:
    said = await part.says()
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import uvloop

from sav_chassis.settings import Settings
from sav_chassis.telemetry.logs import configure

# Seconds a part may be silent.
PATIENCE = 120
# What a part says is one line, however long.
LONGEST_LINE = 2**26

Said = AsyncIterator[Any]


class Part:
    """The process as its starter has it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process

    async def says(self) -> Any:
        """What the part yields next."""
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        if not line:
            await asyncio.wait_for(self.process.wait(), PATIENCE)
            raise RuntimeError(f"{self.name} ended without a word; its complaint is above")
        return json.loads(line)


@asynccontextmanager
async def apart(
    work: Callable[..., Said], settings: Settings, path: Path | None = None, **given: Any
) -> AsyncIterator[Part]:
    """Starts the generator with these arguments; `path` holds packages that only this process sees."""
    name = f"{work.__module__}:{work.__name__}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
        env=os.environ | ({"PYTHONPATH": str(path)} if path else {}),
    )
    assert process.stdin
    try:
        process.stdin.write(json.dumps([settings.model_dump(mode="json"), given]).encode() + b"\n")
        yield Part(name, process)
        # It goes on after its last word, to acknowledge and close.
        await asyncio.wait_for(process.wait(), PATIENCE)
        if process.returncode:
            raise RuntimeError(f"{name} ended with {process.returncode}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def end_with_starter() -> None:
    """Nobody waits for a part whose starter was killed."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def main() -> None:
    """The other side: what is yielded goes to our starter; logs are written as ever, to nowhere."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1) as words:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        configure()
        settings, given = json.loads(sys.stdin.readline())
        Thread(target=end_with_starter, daemon=True).start()
        module, _, function = sys.argv[1].partition(":")
        said = getattr(import_module(module), function)(Settings.model_validate(settings), **given)

        async def pass_on() -> None:
            async for word in said:
                print(json.dumps(word), file=words)

        uvloop.run(pass_on())


if __name__ == "__main__":
    main()
