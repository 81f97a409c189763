"""Prints papers one at a time in a process of its own, at a low priority: whoever waits for an answer goes first.

A thread would not do: parts of the work hold the interpreter, and at a low priority they would hold it for long. Run as a
program it makes what it is asked for on standard input, and ends when that is closed, so also when its room was killed.
"""

import asyncio
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import IO, Any

PROGRAM = (sys.executable, "-P", "-m", "sav_interventions.printer")
# Seconds for one paper.
WITHIN = 30.0
LENGTH = 8


class PrinterEnded(Exception):
    """The process ended before it had made the paper; the next one gets a new process."""


class NotPrinted(Exception):
    """The paper could not be made; says why."""


async def on_paper(make: Callable[..., bytes], *what: object) -> bytes:
    """What `make(*what)` returns; raises `NotPrinted` or `PrinterEnded`. `make` is a function of a module."""
    # A thread of its own: those that wait for their turn keep none of the room's.
    return await asyncio.get_running_loop().run_in_executor(_turns(), _printer().made, make, *what)


class Printer:
    """The process, started when it is first needed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def made(self, make: Callable[..., bytes], *what: object) -> bytes:
        with self._turn:
            process = self._running()
            overdue = threading.Timer(WITHIN, process.kill)
            overdue.start()
            try:
                assert process.stdin
                assert process.stdout
                _send(process.stdin, (make, what))
                done = _received(process.stdout)
            except (EOFError, OSError):
                process.kill()
                process.wait()
                raise PrinterEnded from None
            finally:
                overdue.cancel()
        if isinstance(done, str):
            raise NotPrinted(done)
        return bytes(done)

    @property
    def pipe(self) -> IO[bytes] | None:
        """Where it is asked; it ends once this is closed."""
        return self._process.stdin if self._process else None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process


@cache
def _printer() -> Printer:
    return Printer()


@cache
def _turns() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "printer")


def _send(pipe: IO[bytes], message: object) -> None:
    content = pickle.dumps(message)
    pipe.write(len(content).to_bytes(LENGTH) + content)
    pipe.flush()


def _received(pipe: IO[bytes]) -> Any:
    """The next message; raises `EOFError` where there is none any more."""
    length = pipe.read(LENGTH)
    content = pipe.read(int.from_bytes(length))
    if not length or len(content) < int.from_bytes(length):
        raise EOFError
    return pickle.loads(content)


def main() -> None:
    """Makes paper after paper."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library might print is no answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for number in count():
        try:
            make, what = _received(sys.stdin.buffer)
        except EOFError:
            return
        try:
            done: object = make(*what)
        except Exception as error:  # told to whoever asked; where it was is in the room's log
            traceback.print_exc()
            done = "".join(traceback.format_exception_only(error)).strip()
        _send(answers, done)
        if number == 0:
            # Only now: for the first one libraries and fonts were read, which would take long behind everybody else.
            os.nice(10)


if __name__ == "__main__":
    main()
