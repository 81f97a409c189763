"""What is told of proofs, warranties, stock and parts."""

from datetime import date
from typing import get_args

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

OVER = Cover(
    kind="legal_conformity", start=date(2020, 1, 1), end=date(2021, 12, 31), parts=100, labour=100, travel=100
)


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
        "parts arrived for whoever will come",
        PartsArrived(state=with_parts(parts_validated=1, technician_id=None)),
        {},
    ),
]
