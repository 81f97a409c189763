"""The servers that `./sav test` started, and the system on top of them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import structlog
from foreign import Reader, reader
from kept_logs import pytest_runtest_makereport, pytest_runtest_setup, pytest_sessionfinish  # noqa: F401 - hooks

from sav_chassis.identity import new_key
from sav_chassis.process.runner import started_for_good
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage

if TYPE_CHECKING:
    from system import System

# The usual renderer draws tracebacks with every local variable: seconds of work in the loop that all services share.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_finish() -> None:
    """Thousands of tests and all rooms: nothing that the collector need walk through again and again."""
    started_for_good()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Databases of their own on the test server, fresh keys, and patience with a busy machine."""
    if "SAV_DATABASE_URL" not in os.environ or "SAV_BROKER_URL" not in os.environ:
        pytest.exit("run the tests with `./sav test`: it starts their database and broker", returncode=4)
    private, public = new_key()
    return Settings(
        database_prefix="test",
        signing_key=private,
        public_keys=public,
        link_secret="a secret for tests",
        files_url=tmp_path_factory.mktemp("files").as_uri(),
        mailbox=str(tmp_path_factory.mktemp("mailbox")),
        command_deadline=15.0,
    )


Staged = Callable[[Service], Awaitable[Stage]]


@pytest.fixture(scope="session")
async def stages(settings: Settings) -> AsyncIterator[Staged]:
    """Opens the stage of a service once for all its tests, in databases that no running system uses."""
    apart = settings.model_copy(update={"database_prefix": "stage"})
    opened: dict[str, Stage] = {}
    async with AsyncExitStack() as stack:

        async def open_stage(service: Service) -> Stage:
            if service.name not in opened:
                stage = Stage(service, apart)
                # Here nothing is on its way but what a test sends.
                stage.command_server.patience = 0.2
                await stage.open()
                stack.push_async_callback(stage.close)
                opened[service.name] = stage
            return opened[service.name]

        yield open_stage


@pytest.fixture(scope="session")
async def system(settings: Settings) -> AsyncIterator["System"]:
    """One system for all tests that go through the edge; each makes its own people."""
    from system import whole  # all rooms are imported with it: a second that the tests of one need not wait

    async with whole(settings) as running:
        yield running


@pytest.fixture(scope="session")
def mailparser() -> Iterator[Reader]:
    """Reads mails that we wrote; it is Node's."""
    with reader("mail.cjs") as running:
        yield running


@pytest.fixture(scope="session")
def ical() -> Iterator[Reader]:
    """Reads calendars that we wrote: ical.js, which Thunderbird reads them with."""
    with reader("calendar.cjs") as running:
        yield running


@pytest.fixture(scope="session")
def cloud_events() -> Iterator[Reader]:
    """The official CloudEvents SDK for JavaScript, in strict mode; `cloud_events.py` says how to ask it."""
    with reader("cloudevents.cjs") as running:
        yield running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", default="1", help="what the drills choose their faults by")
    parser.addoption("--strikes", default="3", help="how often PostgreSQL is struck in the storm")
