"""The one table of routes and roles. The edge builds its routes from it, and services check roles against it."""

from sav_contracts.surface import auth, calendar, catalog, claims, edge, interventions, notifier, reporting
from sav_contracts.surface.rows import (
    ADMIN,
    ANYBODY,
    CLIENT,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    AnyRow,
    DashboardRow,
    EdgeQueryRow,
    ExportRow,
    FieldRow,
    FileRow,
    ListRow,
    MessageRow,
    OwnRecordRow,
    PaperRow,
    ReadRow,
    RecordRow,
    Row,
    TimelineRow,
)

__all__ = [
    "ADMIN",
    "ANYBODY",
    "CLIENT",
    "CLIENT_AND_MANAGERS",
    "EVERYBODY",
    "MANAGER",
    "SURFACE",
    "TECHNICIAN",
    "AnyRow",
    "DashboardRow",
    "EdgeQueryRow",
    "ExportRow",
    "FieldRow",
    "FileRow",
    "ListRow",
    "MessageRow",
    "OwnRecordRow",
    "PaperRow",
    "ReadRow",
    "RecordRow",
    "Row",
    "TimelineRow",
]

# In the order of the API's description.
SURFACE: tuple[AnyRow, ...] = (
    *auth.ROWS,
    *catalog.ROWS,
    *claims.ROWS,
    *interventions.ROWS,
    *calendar.ROWS,
    *notifier.ROWS,
    *reporting.ROWS,
    *edge.ROWS,
)
