"""Runs one of our programs in a process of its own: bytes in, bytes out."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Sequence

import structlog

log = structlog.get_logger()


class NoOutput(Exception):
    """The program ended with an error, or not in time; the log says with which."""


async def output_of(program: Sequence[str], content: bytes, within: float) -> bytes:
    """What the program writes about the content, in at most so many seconds.

    `NoOutput` where it fails; `OSError` where the machine cannot start it. Whoever stops waiting ends it.
    """
    # Without our environment: it holds secrets.
    process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={})
    try:
        async with asyncio.timeout(within):
            output, complaint = await process.communicate(content)
    except TimeoutError:
        output, complaint = b"", b"no answer in time"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("child process failed", program=program[-1], exit=process.returncode, error=last)
        raise NoOutput(last)
    return output
