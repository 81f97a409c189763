"""What a printer is asked for in tests: it finds these by their names, in another process."""

import os
import signal


def talkative() -> bytes:
    print("what a library says")
    return b"paper"


def broken(why: str) -> bytes:
    raise ValueError(why)


def killed() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def niceness() -> bytes:
    return str(os.getpriority(os.PRIO_PROCESS, 0)).encode()
