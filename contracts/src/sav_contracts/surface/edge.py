"""The query that the edge answers itself."""

from sav_contracts.edge import FindRequests
from sav_contracts.surface.rows import ADMIN, EdgeQueryRow

ROWS = (EdgeQueryRow("Request audit", "GET /audit", FindRequests, ADMIN),)
