"""What a row shows of a record: the whole, or one field."""

from pydantic_core import from_json, to_json

from sav_contracts.labels import label
from sav_contracts.surface import FieldRow, OwnRecordRow, RecordRow
from sav_edge.read_model import FoundRecord, NoneOf


def shown(row: RecordRow | OwnRecordRow | FieldRow, found: FoundRecord) -> bytes:
    """The record as JSON, or its field; `NotFound` where that is empty."""
    if not isinstance(row, FieldRow):
        return found.doc.encode()
    value = from_json(found.doc)[row.field]
    if value is None:
        raise NoneOf(kind=label(row.field), whose=label(row.message.kind()), id=found.id)
    return to_json(value)
