"""What notifier tests start from: people, a boiler, a réclamation, a visit and what happens with them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import world

from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.account import (
    AccountView,
    EmailChangeRequested,
    EmailVerificationRequested,
    SignUpRepeated,
    UserInvited,
    UserRegistered,
    UserUpdated,
)
from sav_contracts.auth.session import (
    PasswordChanged,
    PasswordResetRequested,
    SecondFactorTurned,
    SessionEnd,
    SessionEnded,
    SignedInFromNewPlace,
)
from sav_contracts.calendar import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentView,
    ConflictDetected,
    ConflictView,
)
from sav_contracts.catalog.article import ArticleView, StockLevelView, StockLow
from sav_contracts.catalog.product import Cover, Place, ProductVerified, ProductView, ProofSubmitted, Warranty
from sav_contracts.claims import (
    ClientView,
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
    Safety,
    Slot,
    TechnicianAssigned,
)
from sav_contracts.interventions.invoice import (
    Buyer,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    PaymentRecorded,
    PaymentView,
    Seller,
)
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportValidated, ReportView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionView,
    TechnicianView,
    WarrantyDecided,
)
from sav_contracts.messages import Event, View
from sav_contracts.reporting import FeedbackGiven, FeedbackInvited, FeedbackView

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


OVER = Cover(
    kind="legal_conformity", start=date(2020, 1, 1), end=date(2021, 12, 31), parts=100, labour=100, travel=100
)
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
DANGERS = Safety(gas_smell=True, co_alarm=True, flooding=True)
PARTLY = Warranty(decision="partly", parts=100, labour=50, travel=0, why="cover_applies")
ENDED = Warranty(decision="not_covered", why="covers_ended", until=date(2025, 12, 31))
UNCLEAR = Warranty(decision="unknown", why="proof_not_accepted")
MANAGERS = {world.marie.id, nadia.id}
LEA, KARIM = {world.lea.id}, {world.karim.id}


class Case(NamedTuple):
    """An event, what was told before it, and which templates it makes for whom."""

    name: str
    event: Event
    told: dict[str, set[UUID]]
    before: tuple[Event, ...] = ()
    by: Actor = SYSTEM


CASES = [
    Case(
        "a réclamation",
        created(),
        {"reclamation_received": LEA, "reclamation_new": MANAGERS},
    ),
    Case(
        "a dangerous réclamation",
        created(safety=DANGERS, priority="critical"),
        {"reclamation_received": LEA, "reclamation_new": MANAGERS | {world.alex.id}},
    ),
    *(
        Case(f"qualified, {name}", qualified(coverage, warranty), {"reclamation_qualified": LEA})
        for name, coverage, warranty in (
            ("covered", "covered", None),
            ("partly", "partly", PARTLY),
            ("partly in words", "partly", None),
            ("ended", "not_covered", ENDED),
            ("not covered", "not_covered", None),
            ("unknown", "unknown", None),
        )
    ),
    Case(
        "qualified otherwise",
        qualified("covered", version=3),
        {"reclamation_qualified": LEA},
        (qualified("unknown"),),
    ),
    Case("qualified with another priority", qualified("covered", version=3), {}, (qualified("covered"),)),
    Case(
        "assigned",
        TechnicianAssigned(state=reclamation(technician_id=world.karim.id), technician_id=world.karim.id),
        {"technician_assigned": LEA},
    ),
    Case(
        "assigned to another",
        TechnicianAssigned(
            state=reclamation(technician_id=world.sofia.id),
            technician_id=world.sofia.id,
            previous_technician_id=world.karim.id,
        ),
        {"technician_assigned": LEA},
    ),
    Case("planned without a time", planned(), {"visit_planned": KARIM}),
    Case("planned with its time", planned(SLOT), {}),
    Case("scheduled", scheduled(), {"visit_planned": KARIM}, (planned(SLOT),)),
    Case("scheduled after a conflict", scheduled(), {"visit_planned": KARIM}, (planned(SLOT), CLASH)),
    Case("scheduled later", scheduled(), {"visit_booked": KARIM}, (planned(),)),
    Case(
        "scheduled at another time",
        scheduled(LATER, version=3),
        {"visit_booked": KARIM},
        (planned(SLOT), scheduled()),
    ),
    Case("booked later", booked(), {"appointment_booked": LEA}, (planned(),)),
    Case("booked as planned", booked(), {"appointment_booked": LEA}, (planned(SLOT),)),
    Case("booked before it is planned", booked(intervention_id=None), {"appointment_booked": LEA}),
    Case(
        "cancelled appointment",
        AppointmentCancelled(state=appointment(status="cancelled", version=2)),
        {"appointment_cancelled": LEA},
        (planned(SLOT), booked()),
    ),
    Case(
        "cancelled before it was booked",
        AppointmentCancelled(state=appointment(status="cancelled", version=2)),
        {},
    ),
    Case("on the way", moved("en_route"), {"technician_on_the_way": LEA}),
    Case("declined", moved("declined", "En arrêt maladie."), {"visit_declined": MANAGERS}),
    Case("declined without a reason", moved("declined"), {"visit_declined": MANAGERS}),
    Case("cancelled visit", moved("cancelled", slot=SLOT), {"visit_cancelled": KARIM}, (scheduled(),)),
    Case("cancelled visit without a time", moved("cancelled"), {"visit_cancelled": KARIM}, (planned(),)),
    Case("cancelled before its technician knew", moved("cancelled"), {}, (planned(SLOT), CLASH)),
    Case("cancelled by its technician", moved("cancelled"), {}, (planned(),), by=world.karim),
    *(
        Case(f"visit {after}", moved(after), {})
        for after in ("accepted", "on_site", "completed", "incomplete", "no_access", "paused")
    ),
    Case("conflict", CLASH, {"visit_conflict": MANAGERS}, (planned(SLOT),)),
    Case(
        "conflict without a way out",
        ConflictDetected(state=conflict(proposals=[], problem="absence")),
        {"visit_conflict": MANAGERS},
    ),
    Case(
        "unknown warranty",
        WarrantyDecided(state=visit(warranty=UNCLEAR), decision="unknown"),
        {"warranty_to_decide": MANAGERS},
    ),
    Case("known warranty", WarrantyDecided(state=visit(warranty=PARTLY), decision="partly"), {}),
    Case("report submitted", ReportSubmitted(state=report()), {"report_to_validate": MANAGERS}),
    Case(
        "unsigned report submitted",
        ReportSubmitted(state=report(signature_refused="Le client était pressé.")),
        {"report_to_validate": MANAGERS},
    ),
    Case(
        "report sent back",
        ReportSentBack(
            state=report(status="sent_back", version=2),
            technician_id=world.karim.id,
            reason="Le numéro de série de la nouvelle pompe manque.",
        ),
        {"report_sent_back": KARIM},
    ),
    Case(
        "report validated",
        ReportValidated(state=report(status="validated", version=2)),
        {"report_available": LEA},
    ),
    Case("invoice drafted", InvoiceDrafted(state=invoice(id=DRAFT)), {"invoice_to_issue": MANAGERS}),
    Case("invoice issued", InvoiceIssued(state=invoice(**ISSUED)), {"invoice_issued": LEA}),
    Case("paid in part", PaymentRecorded(state=payment()), {"payment_received": LEA}),
    Case(
        "paid in full",
        PaymentRecorded(state=payment(amount=Decimal("1234.80"), method="cash")),
        {"payment_received": LEA},
    ),
    *(
        Case(f"resolved by {resolution}", resolved(resolution), {"reclamation_resolved": LEA})
        for resolution in ("repaired", "advice", "no_repair", "estimate_refused", None)
    ),
    Case(
        "an internal move",
        ReclamationMoved(state=reclamation(), before="assigned", after="in_progress"),
        {},
    ),
    Case("closed", ReclamationClosed(state=reclamation(status="closed")), {"reclamation_closed": LEA}),
    Case("feedback invited", FeedbackInvited(state=feedback()), {"feedback_invited": LEA}),
    Case(
        "low feedback",
        given_feedback(2, comment="Trois semaines d'attente.", contact_me=True),
        {"feedback_low": MANAGERS},
    ),
    Case("low feedback without a word", given_feedback(1), {"feedback_low": MANAGERS}),
    Case("middling feedback", given_feedback(3), {}),
    Case("proof submitted", ProofSubmitted(state=product()), {"proof_to_verify": MANAGERS}),
    Case("proof accepted", verified(True), {"proof_accepted": LEA}),
    Case("proof accepted without a cover", verified(True, covers=[]), {"proof_accepted": LEA}),
    Case("proof accepted too late", verified(True, covers=[OVER]), {"proof_accepted": LEA}),
    Case("proof refused", verified(False), {"proof_refused": LEA}),
    Case(
        "low stock",
        StockLow(
            state=shown(
                StockLevelView,
                STOCK,
                {"article_id": ARTICLE, "reference": "CHD-24-MIX", "level": 1, "minimum_stock": 3},
                {},
            )
        ),
        {"stock_low": MANAGERS},
    ),
    Case("invitation", invitation(), {"invitation": {invited.id}}),
    Case(
        "invitation of a client",
        UserInvited(
            state=invited.model_copy(update={"role": Role.CLIENT}), grant_id=GRANT, expires_at=LONG_AHEAD
        ),
        {"invitation": {invited.id}},
    ),
    Case(
        "welcome",
        UserRegistered(state=ACCOUNTS[0], grant_id=GRANT, expires_at=LONG_AHEAD),
        {"welcome": LEA},
    ),
    Case("welcome without a link", UserRegistered(state=ACCOUNTS[0]), {"welcome": LEA}),
    Case(
        "sign-up repeated",
        SignUpRepeated(state=ACCOUNTS[0], grant_id=GRANT, expires_at=LONG_AHEAD),
        {"sign_up_repeated": LEA},
    ),
    Case(
        "verification",
        EmailVerificationRequested(state=ACCOUNTS[0], grant_id=GRANT, expires_at=LONG_AHEAD),
        {"verification": LEA},
    ),
    Case(
        "another address asked for",
        EmailChangeRequested(state=ACCOUNTS[0]),
        {"address_asked": LEA},
    ),
    Case(
        "another address to confirm",
        EmailVerificationRequested(
            state=ACCOUNTS[0], grant_id=GRANT, expires_at=LONG_AHEAD, email="lea.martin@example.com"
        ),
        {"new_address": LEA},
    ),
    Case(
        "another address",
        UserUpdated(state=ACCOUNTS[0], previous_email="lea.before@example.com"),
        {"address_changed": LEA},
    ),
    Case("another name", UserUpdated(state=ACCOUNTS[0]), {}),
    Case("a first address", UserUpdated(state=invited, previous_email=""), {}),
    Case("an invitation that went astray", UserUpdated(state=invited, previous_email="o@example.com"), {}),
    Case(
        "password reset",
        PasswordResetRequested(state=ACCOUNTS[0], grant_id=GRANT, expires_at=LONG_AHEAD),
        {"password_reset": LEA},
    ),
    *(
        Case(
            f"password changed{' by link' if by_link else ''}",
            PasswordChanged(state=ACCOUNTS[0], revoked=(), by_link=by_link),
            {"password_changed": LEA},
        )
        for by_link in (False, True)
    ),
    *(
        Case(
            f"second factor {'on' if on else 'off'}",
            SecondFactorTurned(state=ACCOUNTS[0], on=on),
            {"second_factor": LEA},
        )
        for on in (False, True)
    ),
    *(
        Case(
            f"signed in from {name}",
            SignedInFromNewPlace(state=ACCOUNTS[0], at=BORN, address=address, agent=agent),
            {"signed_in": LEA},
        )
        for name, address, agent in (
            ("a new place", "192.0.2.7", "Firefox, Windows"),
            ("a new place with who knows what", "192.0.2.7", None),
            ("who knows where", None, None),
        )
    ),
    Case("session used twice", ended("reused"), {"session_reused": LEA}),
    Case("signed out", ended("signed_out"), {}),
    Case("staff registered", UserRegistered(state=ACCOUNTS[2]), {}),
]
