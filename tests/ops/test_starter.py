"""Processes that are forked from one that has imported everything."""

import subprocess
import sys

FORKED_TWICE = """
import os, random, secrets, sys
from pathlib import Path
import sav_chassis.process.runner
from uuid_utils.compat import uuid7

for _ in range(2):
    if not os.fork():
        print(uuid7().hex[20:], secrets.token_hex(8), random.random(), flush=True)
        os._exit(0)
    os.wait()
"""


def test_forks_make_different_ids_and_secrets() -> None:
    said = subprocess.run(
        [sys.executable, "-P", "-c", FORKED_TWICE], capture_output=True, text=True, check=True
    )
    first, second = (line.split() for line in said.stdout.splitlines())
    assert not set(first) & set(second)
