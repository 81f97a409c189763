"""What is told of proofs, warranties, stock and parts."""

from datetime import date
from typing import Any, get_args
from uuid import UUID

import world
from given_notifier import (
    ARTICLE,
    REFERENCE,
    STOCK,
    product,
    verified,
    with_parts,
)
from given_views import a
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.catalog.product import ProofSubmitted, WarrantyChanged
from sav_contracts.catalog.reservation import ReservationView, StockShort
from sav_contracts.catalog.stock import StockLevelView, StockLow, StockOverdrawn
from sav_contracts.catalog.warranty import Cover
from sav_contracts.claims.parts_list import PartsArrived, PartsRequested
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationStatus

OVER = Cover(
    kind="legal_conformity", start=date(2020, 1, 1), end=date(2021, 12, 31), parts=100, labour=100, travel=100
)


def leaves(after: ReclamationStatus, **fields: Any) -> ReclamationMoved:
    """It waits for parts no longer."""
    state = with_parts(status=after, version=8, **fields)
    return ReclamationMoved(state=state, before="awaiting_parts", after=after)


CATALOGUE = [
    Case("proof submitted", ProofSubmitted(state=product()), {"proof_to_verify": MANAGERS}),
    Case("proof accepted", verified(True), {"proof_accepted": LEA}),
    Case("proof accepted without a cover", verified(True, covers=[]), {"proof_accepted": LEA}),
    Case("proof accepted too late", verified(True, covers=[OVER]), {"proof_accepted": LEA}),
    Case(
        "proof of what another sold",
        verified(True, covers=[], sold_by="Brico Rhône"),
        {"proof_accepted": LEA},
    ),
    Case("proof refused", verified(False), {"proof_refused": LEA}),
    # The client is told of the unit in its place.
    Case("proof accepted of a unit before", verified(True, replaced_by_id=UUID(int=9)), {}),
    Case("proof refused of a unit before", verified(False, replaced_by_id=UUID(int=9)), {}),
    *(
        Case(
            f"warranty {cause}",
            WarrantyChanged(state=product(), cause=cause, cover="contract", until=date(2126, 1, 14)),
            {"warranty_changed": LEA},
        )
        for cause in get_args(WarrantyChanged.model_fields["cause"].annotation)
    ),
    Case(
        "no warranty left",
        WarrantyChanged(state=product(), cause="cover_voided", cover="contract"),
        {"warranty_changed": LEA},
    ),
    Case(
        "a warranty that is over",
        WarrantyChanged(state=product(), cause="repaired", until=date(2025, 12, 31)),
        {},
    ),
    *(
        Case(
            f"low stock, {name}",
            StockLow(
                state=a(
                    StockLevelView,
                    STOCK,
                    article_id=ARTICLE,
                    reference="CHD-24-MIX",
                    level=1,
                    minimum_stock=3,
                    reserved=reserved,
                )
            ),
            {"stock_low": MANAGERS},
        )
        for name, reserved in (("all of it free", 0), ("some reserved", 4))
    ),
    *(
        Case(
            f"stock overdrawn, {name}",
            StockOverdrawn(
                state=a(
                    StockLevelView,
                    STOCK,
                    article_id=ARTICLE,
                    reference="CHD-24-MIX",
                    level=0,
                    reserved=reserved,
                ),
                used=2,
                there=1,
                reference=reference,
            ),
            {"stock_overdrawn": MANAGERS},
        )
        for name, reference, reserved in (
            ("for a réclamation", REFERENCE, 3),
            ("for nobody knows what", None, 0),
        )
    ),
    Case("parts listed", PartsRequested(state=with_parts(), edition=1), {"parts_to_validate": MANAGERS}),
    Case(
        "parts listed anew",
        PartsRequested(state=with_parts(parts_edition=2, parts_validated=1), edition=2),
        {"parts_to_validate": MANAGERS},
    ),
    Case(
        "no parts needed any more",
        PartsRequested(
            state=with_parts(parts=(), parts_edition=2, parts_validated=1, technician_id=None), edition=2
        ),
        {"parts_to_validate": MANAGERS},
    ),
    Case(
        "parts short",
        StockShort(state=a(ReservationView, article_id=ARTICLE, status="back_ordered")),
        {"parts_short": MANAGERS},
    ),
    Case("parts arrived", PartsArrived(state=with_parts(parts_validated=1)), {"parts_arrived": KARIM}),
    Case(
        "parts arrived for a return visit",
        PartsArrived(state=with_parts(status="assigned", parts_validated=1), return_visit=True),
        {"parts_arrived": KARIM},
    ),
    Case(
        "ordered parts arrived for a return visit",
        PartsArrived(state=with_parts(status="assigned", parts=()), return_visit=True),
        {"parts_arrived": KARIM},
    ),
    Case("no more wait, parts are reserved", leaves("assigned"), {"return_visit_to_plan": MANAGERS}),
    Case("no more wait, nothing comes", leaves("assigned", parts=()), {"return_visit_to_plan": MANAGERS}),
    Case(
        "no more wait, nobody has it",
        leaves("qualified", technician_id=None),
        {"return_visit_to_plan": MANAGERS},
    ),
    Case("no more wait, the visit goes on", leaves("in_progress"), {}),
    Case(
        "a réclamation is over that parts were kept for",
        ReclamationClosed(state=with_parts(status="closed", version=9)),
        {"reclamation_closed": LEA, "parts_to_return": KARIM | MANAGERS},
    ),
    Case(
        "a manager closes what parts were kept for",
        ReclamationClosed(state=with_parts(status="closed", version=9)),
        {"reclamation_closed": LEA, "parts_to_return": KARIM | MANAGERS - {world.marie.id}},
        by=world.marie,
    ),
    Case(
        "a client cancels what parts were kept for",
        ReclamationMoved(
            state=with_parts(status="cancelled", version=9),
            before="assigned",
            after="cancelled",
            reason="Réparé par un voisin.",
        ),
        {
            "reclamation_cancelled": LEA,
            "cancelled_by_client": MANAGERS,
            "parts_to_return": KARIM,
        },
        by=world.lea,
    ),
    Case(
        "what parts were kept for goes on as another",
        ReclamationMoved(
            state=with_parts(status="merged", version=9),
            before="assigned",
            after="merged",
            target_reference="REC-2026-000099",
        ),
        {"reclamation_merged": LEA, "parts_to_return": KARIM | MANAGERS},
    ),
    Case(
        "a réclamation without a technician is over that parts were kept for",
        ReclamationMoved(
            state=with_parts(status="rejected", technician_id=None, version=9),
            before="qualified",
            after="rejected",
        ),
        {"parts_to_return": MANAGERS},
    ),
    Case(
        "parts arrived for whoever will come",
        PartsArrived(state=with_parts(parts_validated=1, technician_id=None)),
        {},
    ),
]
