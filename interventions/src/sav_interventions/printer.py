"""Prints papers one at a time in a process of its own, at a low priority: whoever waits for an answer goes first.

A thread would not do: parts of the work hold the interpreter, and at a low priority they would hold it for long. Run as a
program it makes what it is asked for over a pipe, and ends when that is closed, so also when its room was killed.
"""

import asyncio
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection

PROGRAM = (sys.executable, "-P", "-m", "sav_interventions.printer")
# Seconds for one paper.
WITHIN = 30.0
STDERR = 2


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
        # Where it is asked; it ends once this is closed.
        self.pipe: Connection | None = None

    def made(self, make: Callable[..., bytes], *what: object) -> bytes:
        with self._turn:
            process, pipe = self._running()
            try:
                pipe.send((make, what))
                if not pipe.poll(WITHIN):
                    raise EOFError
                done = pipe.recv()
            except (EOFError, OSError):
                process.kill()
                process.wait()
                raise PrinterEnded from None
        if isinstance(done, str):
            raise NotPrinted(done)
        return bytes(done)

    def _running(self) -> "tuple[subprocess.Popen[bytes], Connection]":
        if self._process is None or self.pipe is None or self._process.poll() is not None:
            self.pipe, theirs = Pipe()
            with theirs:
                program = (*PROGRAM, str(theirs.fileno()))
                # What a library might print is for the log.
                self._process = subprocess.Popen(
                    program, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=STDERR
                )
        return self._process, self.pipe


@cache
def _printer() -> Printer:
    return Printer()


@cache
def _turns() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "printer")


def main() -> None:
    """Makes paper after paper."""
    pipe = Connection(int(sys.argv[1]))
    for number in count():
        try:
            make, what = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            done: object = make(*what)
        except Exception as error:  # told to whoever asked; where it was is in the room's log
            traceback.print_exc()
            done = "".join(traceback.format_exception_only(error)).strip()
        pipe.send(done)
        if number == 0:
            # Only now: for the first one libraries and fonts were read, which would take long behind everybody else.
            os.nice(10)


if __name__ == "__main__":
    main()
