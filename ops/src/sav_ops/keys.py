"""`sav keys rotate`: tokens are signed with another key from now on, and whoever is signed in stays so."""

import json
from functools import partial

from sav_chassis.identity import Signer, blocks, new_key
from sav_ops import health, platform, processes
from sav_ops.home import GIVEN, Home, Problem
from sav_ops.steps import step

SIGNING, PUBLIC = "SAV_SIGNING_KEY", "SAV_PUBLIC_KEYS"


def rotate(home: Home) -> None:
    """Put a new key before the one in use, forget those before it, and start auth again, one replica after another.

    Auth tells the others of the key before it signs with it: nobody else need start again.
    """
    if given := [name for name in (SIGNING, PUBLIC) if GIVEN.get(name)]:
        raise Problem(
            f"{' and '.join(given)} come from your shell: put the new key there, before the old one."
        )
    with home.lock(), step("Keys") as now:
        private, public = with_another(home.settings())
        home.remember(PUBLIC, json.dumps(public))
        home.remember(SIGNING, private)
        now.note = f"{next(iter(public))} signs from now on"
        settings = platform.read_settings(home)
        for name in platform.started(home):
            if name.partition("-")[0] == "auth":
                processes.stop(home, [name])
                platform.start(home, name)
                ready = partial(health.ready, home, name, settings)
                processes.wait_ready(home, name, ready, platform.START_SECONDS)


def with_another(settings: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A new key and the one that is the newest so far; and the public halves of both, by key id."""
    newest = blocks(settings[SIGNING])[0]
    private, public = new_key()
    signer = Signer(newest)
    return private + newest, public | {signer.key_id: signer.public_pem}
