"""The fields of an estimate's view that tests seldom care about."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import world

from sav_contracts.interventions.estimate import Withdrawal
from sav_contracts.interventions.invoice import Buyer, Seller
from sav_contracts.interventions.line import Supply

AN_ESTIMATE: dict[str, Any] = {
    **dict.fromkeys(("reclamation_id", "reclamation_reference", "place", "valid_until")),
    **dict.fromkeys(("net", "tax", "total"), Decimal(0)),
    "client_id": world.lea.id,
    "technician_id": world.karim.id,
    "intervention_id": UUID(int=0),
    "reference": "DEV-2026-000001",
    "edition": 1,
    "status": "draft",
    "currency": "EUR",
    "seller": Seller(name="SAV", address="Paris", registration="1", vat_number="FR1"),
    "buyer": Buyer(name="Léa", address=None),
    "nature": "Circulateur remplacé",
    "written_on": date(2026, 3, 2),
    "lines": [],
    "vat": [],
    "supply": Supply(on=date(2026, 3, 2)),
    "withdrawal": Withdrawal(right=False, case="business_buyer"),
}
