"""The settings of a home's platform, as its rooms get them.

Every command imports this module. The chassis and pydantic are imported only when settings are read: `./sav --help`
stays fast.
"""

import os
from typing import TYPE_CHECKING

from sav_ops.home import GIVEN, Home, OpsError, reached

if TYPE_CHECKING:
    from sav_chassis.settings import Settings


def read_settings(home: Home, room: str | None = None) -> "Settings":
    """Return the settings of a room (None: all), and make its variables those of this process.

    OpsError names the variables that are wrong.
    """
    from pydantic import ValidationError

    from sav_chassis.settings import Settings

    environment = home.environment(room)
    os.environ.clear()
    os.environ.update(environment)
    try:
        return Settings()
    except ValidationError as error:
        from sav_chassis.startup_checks import wrong_variables

        raise OpsError("\n".join(wrong_variables(error))) from None


def known_settings(home: Home, room: str | None = None) -> "Settings":
    """Return the settings of a platform that was started before, or whose servers the caller's shell names.

    OpsError where there is neither.
    """
    given = {"SAV_DATABASE_URL", "SAV_BROKER_URL"} <= GIVEN.keys()
    if not given and not (home.root / "env").exists():
        raise OpsError(f"SAV has not been started in {home.root} yet: ./sav up")
    return read_settings(home, room)


def edge_address(settings: "Settings") -> str:
    """Return the edge's URL on this machine."""
    return f"http://{reached(settings.edge_host)}:{settings.edge_port}"
