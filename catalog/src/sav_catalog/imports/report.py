"""The report of an import: its wrong lines as a CSV that spreadsheets open."""

import csv
import io
from uuid import UUID

from sav_chassis.database import driver
from sav_chassis.tx import Tx
from sav_contracts.files import MAX_FILE_BYTES
from sav_contracts.sentences import Sentence
from sav_contracts.spreadsheets import defused

HEAD = ("ligne", "colonne", "valeur", "motif", "reason")
FAULTS = """
SELECT line, name, value, en, fr FROM article_import_fault WHERE import_id = $1 ORDER BY line, place"""
# Bytes that stay free for the last line.
REST = 1000


class AndMore(Sentence):
    number: int
    en = "… and {number} more"
    fr = "… et {number} de plus"


async def written(tx: Tx, id: UUID) -> bytes:
    """What is wrong, line by line, in both languages: as much as a file may hold, and then how much more there is."""
    report = io.BytesIO()
    text = io.TextIOWrapper(report, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";")
    writer.writerow(HEAD)
    left = 0
    async for row in driver(tx.session).cursor(FAULTS, id, prefetch=1000):
        if left or report.tell() > MAX_FILE_BYTES - 10 * REST:
            left += 1
        else:
            cells = (row["name"], row["value"], row["fr"], row["en"])
            writer.writerow([row["line"], *map(defused, cells)])
    if left:
        more = AndMore(number=left).text()
        writer.writerow(["", "", "", more.fr, more.en])
    return report.getvalue()
