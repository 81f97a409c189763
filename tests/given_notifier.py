"""What notifier tests start from: people, a boiler, a réclamation, a visit and what happens with them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import world

from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView, UserInvited
from sav_contracts.auth.session import SessionEnd, SessionEnded
from sav_contracts.calendar import AppointmentBooked, AppointmentView, ConflictDetected, ConflictView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Cover, Place, ProductVerified, ProductView, Warranty
from sav_contracts.claims import (
    ClientView,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
    Safety,
    Slot,
)
from sav_contracts.interventions.invoice import Buyer, InvoiceView, PaymentView, Seller
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionView,
    TechnicianView,
)
from sav_contracts.messages import View
from sav_contracts.reporting import FeedbackGiven, FeedbackView

V = TypeVar("V", bound=View)


nadia = Actor(id=UUID(int=22), role=Role.MANAGER)


gone = Actor(id=UUID(int=23), role=Role.MANAGER)


BORN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


PRODUCT, ARTICLE, RECLAMATION, VISIT = (UUID(int=number) for number in (90, 95, 100, 200))


REPORT, INVOICE, PAYMENT, APPOINTMENT = (UUID(int=number) for number in (210, 300, 310, 400))


DRAFT = UUID(int=301)


CONFLICT, FEEDBACK, STOCK, GRANT = (UUID(int=number) for number in (410, 500, 600, 700))


REFERENCE = "REC-2026-000100"


# A Tuesday in winter, nine o'clock in Paris, far enough ahead.
START = datetime(2126, 11, 26, 8, 0, tzinfo=UTC)


SLOT = Slot(start=START, end=START + timedelta(hours=2))


LATER = Slot(start=START + timedelta(days=1, minutes=30), end=START + timedelta(days=1, hours=2))


LONG_AHEAD = datetime(2126, 12, 1, 12, 0, tzinfo=UTC)


def shown(view: type[V], id: UUID, usual: dict[str, Any], given: dict[str, Any]) -> V:
    base = {"id": id, "version": 1, "created_at": BORN, "updated_at": BORN}
    return view.model_validate(base | usual | given)


def account(who: Actor, name: str, **fields: Any) -> AccountView:
    usual = {
        "user_id": who.id,
        "email": f"{name.split()[0].lower()}@example.com".replace("é", "e"),
        "name": name,
        "role": who.role,
        "locale": "fr",
        "status": "active",
    }
    return shown(AccountView, who.id, usual, fields)


ACCOUNTS = (
    account(world.lea, "Léa Bernard", email="lea.signs.in@example.com"),
    account(world.paul, "Paul Smith", locale="en"),
    account(world.karim, "Karim Haddad"),
    account(world.sofia, "Sofia Martin", locale="en"),
    account(world.marie, "Marie Leroy"),
    account(nadia, "Nadia Jones", locale="en"),
    account(gone, "Gaston Parti", status="deactivated"),
    account(world.alex, "Alex Admin"),
)


def client_profile(who: Actor, name: str, **fields: Any) -> ClientView:
    usual = {"client_id": who.id, "name": name, "email": f"{name.split()[0].lower()}@example.org"}
    return shown(ClientView, who.id, usual | {"locale": "fr"}, fields)


CLIENTS = (
    client_profile(world.lea, "Léa Bernard", email="lea@example.org"),
    client_profile(world.paul, "Paul Smith", locale="en"),
)


TECHNICIANS = tuple(
    shown(TechnicianView, who.id, {"technician_id": who.id, "name": name, "active": True}, {})
    for who, name in ((world.karim, "Karim Haddad"), (world.sofia, "Sofia Martin"))
)


def article(**fields: Any) -> ArticleView:
    usual = {
        **{"reference": "CHD-24-MIX", "gtin": None, "name": "Chaudière Azur 24", "brand": "Azur"},
        **{"model": None, "family": "heating", "description": "", "fuel": "gas", "power_kw": 24},
        **{"price": "1890.00", "currency": "EUR", "vat_class": "standard", "warranty_parts_months": 24},
        **{"warranty_labour_months": 24, "spare_parts_until": None, "compatible_parts": [], "image": None},
        **{"in_stock": True, "status": "active", "minimum_stock": 3},
    }
    return shown(ArticleView, ARTICLE, usual, fields)


def product(**fields: Any) -> ProductView:
    cover = Cover(
        kind="commercial",
        start=date(2025, 1, 15),
        end=date(2126, 1, 14),
        parts=100,
        labour=100,
        travel=100,
    )
    usual = {
        **{"client_id": world.lea.id, "article_id": ARTICLE, "article": "Chaudière Azur 24"},
        **{"family": "heating", "serial": "AZ-4711", "purchase_date": date(2025, 1, 10)},
        "place": Place(
            address="12 rue des Lilas", postcode="69003", city="Lyon", access_notes="code 24A, 2e étage"
        ),
        **{"delivery_date": date(2025, 1, 15), "commissioning_date": None, "proof": None},
        **{"proof_state": "submitted", "proof_reason": None, "covers": [cover]},
    }
    return shown(ProductView, PRODUCT, usual, fields)


def reclamation(**fields: Any) -> ReclamationView:
    usual = {
        **{"reference": REFERENCE, "client_id": world.lea.id, "technician_id": None},
        **{"article": "Chaudière Azur 24", "problem_type": "no_heating", "product_id": PRODUCT},
        **{"description": "Plus de chauffage depuis hier soir.", "safety": Safety(), "status": "submitted"},
        **{"coverage": "unknown", "priority": "high", "priority_reason": "problem type no_heating"},
    }
    return shown(ReclamationView, RECLAMATION, usual, fields)


def visit(**fields: Any) -> InterventionView:
    usual = {
        **{"client_id": world.lea.id, "technician_id": world.karim.id, "reclamation_id": RECLAMATION},
        **{"reclamation_reference": REFERENCE, "status": "planned", "slot": None, "reason": None},
        "product_id": PRODUCT,
    }
    return shown(InterventionView, VISIT, usual, fields)


def appointment(**fields: Any) -> AppointmentView:
    usual = {
        **{"client_id": world.lea.id, "technician_id": world.karim.id, "reclamation_id": RECLAMATION},
        **{"reclamation_reference": REFERENCE, "intervention_id": VISIT, "start": SLOT.start},
        **{"end": SLOT.end, "zone": "Europe/Paris", "arrival_from": SLOT.start},
        **{"arrival_until": SLOT.start + timedelta(hours=1), "status": "booked", "held_until": None},
        **{"uid": "visit-1", "sequence": 0, "reason": None},
    }
    return shown(AppointmentView, APPOINTMENT, usual, fields)


def conflict(**fields: Any) -> ConflictView:
    usual = {
        **{"technician_id": world.karim.id, "reclamation_id": RECLAMATION, "intervention_id": VISIT},
        **{"reclamation_reference": REFERENCE, "problem": "slot_taken", "wanted": SLOT},
        **{"proposals": [LATER], "status": "open"},
    }
    return shown(ConflictView, CONFLICT, usual, fields)


def report(**fields: Any) -> ReportView:
    usual = {
        **{
            "intervention_id": VISIT,
            "reclamation_id": RECLAMATION,
            "edition": 1,
            "findings": "Pompe bloquée",
        },
        **{"work_done": "Pompe remplacée", "recommendations": "Faire purger les radiateurs chaque automne."},
        **{"signed_by": "Léa Bernard", "signature": None, "signed_at": None, "signature_refused": None},
        **{"status": "submitted", "reason": None},
    }
    return shown(ReportView, REPORT, usual, fields)


def invoice(**fields: Any) -> InvoiceView:
    seller = Seller(name="SAV", address="Paris", registration="SIREN", vat_number="FR")
    usual = {
        **{"client_id": world.lea.id, "intervention_id": VISIT, "reclamation_id": RECLAMATION},
        **{"reclamation_reference": REFERENCE, "number": None, "status": "draft", "currency": "EUR"},
        **{"seller": seller, "buyer": Buyer(name="Léa Bernard", address=None)},
        **{"supplied_on": date(2026, 11, 24), "issued_on": None, "due_on": None, "lines": [], "vat": []},
        **{"net": "1029.00", "tax": "205.80", "total": "1234.80", "paid": "0.00", "balance": "1234.80"},
        **{"mentions": [], "document": None, "hash": None, "previous_hash": None, "reason": None},
    }
    return shown(InvoiceView, INVOICE, usual, fields)


ISSUED = {"number": "FAC-2026-000042", "status": "issued", "due_on": date(2026, 12, 24), "version": 2}


def payment(**fields: Any) -> PaymentView:
    usual = {
        **{"invoice_id": INVOICE, "invoice_number": "FAC-2026-000042", "reclamation_id": RECLAMATION},
        **{"method": "transfer", "amount": Decimal("1000.00"), "currency": "EUR"},
        **{"received_on": date(2026, 12, 1), "reference": None, "status": "captured"},
    }
    return shown(PaymentView, PAYMENT, usual, fields)


def feedback(**fields: Any) -> FeedbackView:
    usual = {
        **{"client_id": world.lea.id, "technician_id": world.karim.id, "intervention_id": VISIT},
        **{"reclamation_id": RECLAMATION, "status": "invited", "rating": None, "recommend": None},
        **{"comment": None, "contact_me": False, "open_until": LONG_AHEAD},
    }
    return shown(FeedbackView, FEEDBACK, usual, fields)


KNOWN: tuple[View, ...] = (
    *ACCOUNTS,
    *CLIENTS,
    *TECHNICIANS,
    *(article(), product(), reclamation(), visit(), report(), invoice(**ISSUED)),
)


invited = account(Actor(id=UUID(int=41), role=Role.TECHNICIAN), "Omar Diallo", status="invited")


def invitation(expires_at: datetime = LONG_AHEAD) -> UserInvited:
    return UserInvited(state=invited, grant_id=GRANT, expires_at=expires_at)


def ended(why: SessionEnd) -> SessionEnded:
    return SessionEnded(state=ACCOUNTS[0], session_id=GRANT, why=why, revoked=(GRANT,))


def booked(**fields: Any) -> AppointmentBooked:
    return AppointmentBooked(state=appointment(**fields))


def planned(slot: Slot | None = None) -> InterventionPlanned:
    return InterventionPlanned(state=visit(), slot=slot)


def scheduled(slot: Slot = SLOT, **fields: Any) -> InterventionScheduled:
    """It is in the calendar."""
    return InterventionScheduled(state=visit(slot=slot, **({"version": 2} | fields)), slot=slot)


def created(**fields: Any) -> ReclamationCreated:
    return ReclamationCreated(state=reclamation(**fields))


def qualified(coverage: str, warranty: Warranty | None = None, version: int = 2) -> ReclamationQualified:
    state = reclamation(status="qualified", coverage=coverage, warranty=warranty, version=version)
    return ReclamationQualified(state=state, coverage=state.coverage, priority="high", reason="cosmetic")


def moved(after: str, reason: str | None = None, **fields: Any) -> InterventionMoved:
    return InterventionMoved.model_validate(
        {"state": visit(status=after, version=3, **fields), "before": "accepted", "after": after}
        | {"reason": reason}
    )


def resolved(resolution: str | None = "repaired") -> ReclamationMoved:
    state = reclamation(status="resolved", resolution=resolution, version=5)
    return ReclamationMoved(state=state, before="in_progress", after="resolved", reason="internal remark")


def verified(accepted: bool, **fields: Any) -> ProductVerified:
    return ProductVerified(
        state=product(proof_state="accepted" if accepted else "refused", version=2, **fields),
        accepted=accepted,
        reason=None if accepted else "La date n'est pas lisible.",
    )


def given_feedback(rating: int, **fields: Any) -> FeedbackGiven:
    return FeedbackGiven(state=feedback(status="given", rating=rating, version=2, **fields))


CLASH = ConflictDetected(state=conflict())
