"""`sav keys rotate`: tokens are signed with a new key from now on; everybody stays signed in."""

import json
from functools import partial

from sav_chassis.identity import Signer, blocks, new_key
from sav_ops.home import GIVEN, Home, OpsError
from sav_ops.launch import platform, processes, readiness
from sav_ops.settings import read_settings
from sav_ops.terminal.steps import step

SIGNING, PUBLIC = "SAV_SIGNING_KEY", "SAV_PUBLIC_KEYS"


def rotate(home: Home) -> None:
    """Put a new key before the one in use, remove older ones, and restart auth, one replica after another.

    Auth announces the key to the other rooms before it signs with it: these need no restart.
    """
    if given := [name for name in (SIGNING, PUBLIC) if GIVEN.get(name)]:
        raise OpsError(
            f"{' and '.join(given)} come from your shell: put the new key there, before the old one."
        )
    with home.lock(), step("Keys") as now:
        private, public = with_another(home.settings())
        home.remember(PUBLIC, json.dumps(public))
        home.remember(SIGNING, private)
        now.note = f"{next(iter(public))} signs from now on"
        settings = read_settings(home)
        for name in platform.started(home):
            if name.partition("-")[0] == "auth":
                processes.stop(home, [name])
                platform.start(home, name)
                ready = partial(readiness.ready, home, name, settings)
                processes.wait_ready(home, name, ready, platform.START_SECONDS)


def with_another(settings: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return a new private key followed by the newest so far, and the public halves of both by key id."""
    newest = blocks(settings[SIGNING])[0]
    private, public = new_key()
    signer = Signer(newest)
    return private + newest, public | {signer.key_id: signer.public_pem}
