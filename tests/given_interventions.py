"""Rows that interventions tests start from, and what it has heard from other services."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_views import a

from sav_contracts.actor import Actor
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.catalog.warranty import Cover, Warranty
from sav_contracts.claims.reclamation import ReclamationView, TechnicianAssigned
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import ReportStatus
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.interventions.work import Labour, PartPriced, Work
from sav_contracts.slot import Slot
from sav_interventions.model import Intervention, Report

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# The day on which Léa reported the fault.
REPORTED = date(2026, 3, 2)
VISIT = UUID(int=200)
RECLAMATION = UUID(int=100)
PRODUCT = UUID(int=300)
VALVE = UUID(int=400)
REPORT = UUID(int=500)
SLOT = Slot(start=NOW + timedelta(days=1), end=NOW + timedelta(days=1, hours=2))
LATER = Slot(start=NOW + timedelta(days=2), end=NOW + timedelta(days=2, hours=2))
COVERED = Warranty.of_shares(100, 100, 100, why="cover_applies", cover="legal_conformity")
UNKNOWN = Warranty(decision="unknown", why="proof_not_accepted")
BY_MANAGER = Warranty.of_shares(50, 0, 0, why="decided_by_manager", reason="geste commercial", decided_at=NOW)
SIGNATURE = StoredFile(sha256="a" * 64, media_type="image/png", size=1200, name="signature.png")


def visit(status: InterventionStatus, **fields: Any) -> Intervention:
    """Karim's visit for Léa's réclamation."""
    usual: dict[str, Any] = {
        "id": VISIT,
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "status": status,
        "reported_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        "tasks": [],
        "skills_needed": (),
        "acts": [],
        "overdue": False,
        "by_hand": False,
    }
    return Intervention(**(usual | fields))


def work(serial: str | None = None) -> Work:
    """An hour and a half, and a valve."""
    valve = PartPriced(
        article_id=VALVE,
        quantity=1,
        serial=serial,
        reference="VAN-22",
        name="Vanne gaz",
        unit_price=Decimal("84.90"),
        vat_class="standard",
    )
    return Work(
        solution="vanne remplacée",
        labour=[Labour(description="remplacement", minutes=90)],
        parts=[valve],
        travel_km=Decimal("12.5"),
        readings={"pression": "1,5 bar"},
        failed_serial=None,
        replacement_serial=None,
        labour_rate=Decimal("62.00"),
        travel_rate=Decimal("0.90"),
        currency="EUR",
    )


def report(status: ReportStatus, **fields: Any) -> Report:
    """The report of Karim's visit; signed where it has come so far."""
    signed = status not in {"draft", "signature_refused"}
    usual: dict[str, Any] = {
        "id": REPORT,
        "intervention_id": VISIT,
        "reclamation_id": RECLAMATION,
        "edition": 1,
        "findings": "vanne bloquée",
        "work_done": "vanne remplacée",
        "signed_by": "Léa" if signed else None,
        "signature": SIGNATURE if signed else None,
        "signed_at": NOW if signed else None,
        "signature_refused": "elle est partie" if status == "signature_refused" else None,
        "status": status,
        "reason": "des photos manquent" if status == "sent_back" else None,
    }
    return Report(**(usual | fields))


def seen(id: UUID, version: int = 1) -> dict[str, Any]:
    return {"id": id, "version": version, "created_at": NOW, "updated_at": NOW}


def account(**fields: Any) -> AccountView:
    usual: dict[str, Any] = {
        "user_id": world.karim.id,
        "email": "karim@example.com",
        "name": "Karim",
        "role": "technician",
    }
    return a(AccountView, **({"id": world.karim.id} | usual | fields))


def valve(**fields: Any) -> ArticleView:
    usual: dict[str, Any] = {
        "description": "vanne gaz",
        "reference": "VAN-22",
        "name": "Vanne gaz",
        "family": "part",
        "fuel": None,
        "power_kw": None,
        "price": Decimal("84.90"),
        "minimum_stock": 0,
    }
    return a(ArticleView, **({"id": VALVE} | usual | fields))


def product(*covers: Cover, version: int = 1, accepted: bool = True) -> ProductView:
    """Léa's boiler."""
    return a(
        ProductView,
        PRODUCT,
        version=version,
        serial="CH-1",
        place=Place(address="1 rue de l'Exemple", postcode="75001", city="Paris"),
        purchase_date=date(2025, 1, 10),
        delivery_date=date(2025, 1, 10),
        proof_state="accepted" if accepted else "submitted",
        covers=list(covers),
    )


def cover(start: date, end: date, parts: int = 100, labour: int = 100, travel: int = 100) -> Cover:
    return Cover(kind="legal_conformity", start=start, end=end, parts=parts, labour=labour, travel=travel)


# It applies on the day of the fault, and no longer today.
UNTIL_THE_FAULT = cover(date(2025, 1, 10), REPORTED)


def reclamation(to: Actor, **fields: Any) -> ReclamationView:
    """Léa's réclamation as claims tells it, given to this technician."""
    usual: dict[str, Any] = {"version": 3, "reference": "REC-2026-000100", "technician_id": to.id}
    return a(ReclamationView, **({"id": RECLAMATION} | usual | fields))


def assigned(to: Actor, previous: Actor | None = None, **fields: Any) -> TechnicianAssigned:
    return TechnicianAssigned(
        state=reclamation(to, **fields),
        technician_id=to.id,
        previous_technician_id=previous.id if previous else None,
        slot=SLOT,
    )
