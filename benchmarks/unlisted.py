"""The read model as it would be without lists: none of their columns, indexes and words. It is the baseline of what they cost."""

import importlib

from news import database

from sav_chassis import views
from sav_chassis.settings import Settings
from sav_edge import declared, listed, projection

UNLISTED = "SAV without columns, indexes and words of lists"


async def index_lists(settings: Settings, wanted: bool = True) -> None:
    """Makes the indexes of the edge's empty table; drops them where they are not wanted."""
    if wanted:
        await declared.settle(settings)
        return
    async with database(settings, "edge") as connection:
        await connection.execute(f"DROP INDEX IF EXISTS {', '.join(listed.INDEXES)}")


def forget_lists() -> None:
    """From now on this process writes rows without what lists need."""
    listed.LISTED, listed.OWN, listed.COLUMNS = {}, {}, views.COLUMNS
    importlib.reload(projection)
    importlib.reload(declared)
