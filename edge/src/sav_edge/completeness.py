"""Whether the read model holds everything. Until then nothing is read from it: no list is empty because it was wiped.

A row of the table `view` says so, beside no record: whoever empties the table takes it away, too.
"""

from sav_chassis.errors import Unavailable
from sav_chassis.views import SqlExecutor

KIND = "read_model"
IS_COMPLETE = f"EXISTS (SELECT FROM view WHERE kind = '{KIND}')"
MARK = f"""
INSERT INTO view (kind, id, version, open, created_at, updated_at, doc)
VALUES ('{KIND}', '00000000-0000-0000-0000-000000000000', 1, false, 'epoch', 'epoch', '{{}}') ON CONFLICT DO NOTHING"""


class NotFilledYet(Unavailable):
    retry_after: int = 30
    en = "What is read here has to be gathered anew first"
    fr = "Les données consultables ici doivent d’abord être reconstituées"


async def mark_complete(connection: SqlExecutor) -> None:
    """Says that the read model holds everything that the logs do."""
    await connection.execute(MARK)
