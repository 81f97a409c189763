"""What notifier tests start from: people, a boiler, a réclamation, a visit and what happens with them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import world
from given_views import a

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView, UserInvited
from sav_contracts.auth.session import SessionEnd, SessionEnded
from sav_contracts.bank import Bank
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentMoved, AppointmentView
from sav_contracts.calendar.conflict import ConflictDetected, ConflictView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductVerified, ProductView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import (
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
)
from sav_contracts.claims.sla import ClockName, SlaBreached, SlaWarning
from sav_contracts.interventions.act import ActsRefused, RefusedAct
from sav_contracts.interventions.invoice import Buyer, InvoiceView, Seller
from sav_contracts.interventions.new_visit import InterventionUnscheduled
from sav_contracts.interventions.payment import PaymentView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionView,
)
from sav_contracts.messages import View
from sav_contracts.parts import Part
from sav_contracts.reporting import FeedbackGiven, FeedbackView
from sav_contracts.slot import Slot

V = TypeVar("V", bound=View)


nadia = Actor(id=UUID(int=22), role=Role.MANAGER)
# A technician who takes no visits any more, and signs in.
yves = Actor(id=UUID(int=14), role=Role.TECHNICIAN)


gone = Actor(id=UUID(int=23), role=Role.MANAGER)


# Without an e-mail address.
zoe = Actor(id=UUID(int=9), role=Role.CLIENT)


BORN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


PRODUCT, ARTICLE, RECLAMATION, VISIT = (UUID(int=number) for number in (90, 95, 100, 200))


REPORT, INVOICE, PAYMENT, APPOINTMENT = (UUID(int=number) for number in (210, 300, 310, 400))


DRAFT = UUID(int=301)


CONFLICT, FEEDBACK, STOCK, GRANT = (UUID(int=number) for number in (410, 500, 600, 700))


REFERENCE = "REC-2026-000100"
OF_IT: dict[str, Any] = {"reclamation_id": RECLAMATION, "reclamation_reference": REFERENCE}


# A Tuesday in winter, nine o'clock in Paris, far enough ahead.
START = datetime(2126, 11, 26, 8, 0, tzinfo=UTC)


SLOT = Slot(start=START, end=START + timedelta(hours=2))


LATER = Slot(start=START + timedelta(days=1, minutes=30), end=START + timedelta(days=1, hours=2))


LONG_AHEAD = datetime(2126, 12, 1, 12, 0, tzinfo=UTC)
# The last day where the fault is; our clocks show the next one when it ends.
LEGAL_DAY = date(2126, 11, 30)


def account(who: Actor, name: str, **fields: Any) -> AccountView:
    email = f"{name.split()[0].lower()}@example.com".replace("é", "e")
    usual: dict[str, Any] = {"user_id": who.id, "email": email, "name": name, "role": who.role}
    return a(AccountView, **({"id": who.id} | usual | fields))


ACCOUNTS = (
    account(world.lea, "Léa Bernard", email="lea.signs.in@example.com"),
    account(world.paul, "Paul Smith", locale="en"),
    account(world.karim, "Karim Haddad"),
    account(world.sofia, "Sofia Martin", locale="en"),
    account(world.marie, "Marie Leroy"),
    account(nadia, "Nadia Jones", locale="en"),
    account(gone, "Gaston Parti", status="deactivated"),
    account(world.alex, "Alex Admin"),
    account(yves, "Yves Moreau"),
    account(zoe, "Zoé Petit", email="", status="invited"),
)


def client_profile(who: Actor, name: str, **fields: Any) -> ClientView:
    usual: dict[str, Any] = {
        "client_id": who.id,
        "name": name,
        "email": f"{name.split()[0].lower()}@example.org",
    }
    return a(ClientView, **({"id": who.id} | usual | fields))


CLIENTS = (
    client_profile(world.lea, "Léa Bernard", email="lea@example.org"),
    client_profile(world.paul, "Paul Smith", locale="en"),
    client_profile(zoe, "Zoé Petit", email=""),
)


TECHNICIANS = tuple(
    a(TechnicianView, who.id, technician_id=who.id, name=name, active=who is not yves)
    for who, name in ((world.karim, "Karim Haddad"), (world.sofia, "Sofia Martin"), (yves, "Yves Moreau"))
)


def article(**fields: Any) -> ArticleView:
    usual: dict[str, Any] = {
        "reference": "CHD-24-MIX",
        "name": "Chaudière Azur 24",
        "brand": "Azur",
        "description": "",
        "price": "1890.00",
        "minimum_stock": 3,
    }
    return a(ArticleView, **({"id": ARTICLE} | usual | fields))


def product(**fields: Any) -> ProductView:
    shares = {"parts": 100, "labour": 100, "travel": 100}
    usual: dict[str, Any] = {
        "article_id": ARTICLE,
        "article": "Chaudière Azur 24",
        "serial": "AZ-4711",
        "place": Place(
            address="12 rue des Lilas", postcode="69003", city="Lyon", access_notes="code 24A, 2e étage"
        ),
        "purchase_date": date(2025, 1, 10),
        "delivery_date": date(2025, 1, 15),
        "proof_state": "submitted",
        "covers": [{"kind": "commercial", "start": date(2025, 1, 15), "end": date(2126, 1, 14)} | shares],
    }
    return a(ProductView, **({"id": PRODUCT} | usual | fields))


def reclamation(**fields: Any) -> ReclamationView:
    usual: dict[str, Any] = {
        "reference": REFERENCE,
        "article": "Chaudière Azur 24",
        "problem_type": "no_heating",
        "product_id": PRODUCT,
        "description": "Plus de chauffage depuis hier soir.",
        "status": "submitted",
        "priority_reason": "problem type no_heating",
    }
    return a(ReclamationView, **({"id": RECLAMATION} | usual | fields))


def with_parts(**fields: Any) -> ReclamationView:
    """Karim's réclamation that needs a pump and two joints more."""
    pump = Part(
        id=UUID(int=901),
        article_id=UUID(int=801),
        article="Circulateur 25-60",
        reference="CIR-25-60",
        quantity=1,
        state="listed",
    )
    joint = Part(
        id=UUID(int=902),
        article_id=UUID(int=802),
        article="Joint torique",
        reference="JT-18",
        quantity=3,
        used=1,
        state="reserved",
    )
    valve = joint.model_copy(update={"article": "Vanne", "used": 3, "state": "used"})
    usual: dict[str, Any] = {
        "status": "in_progress",
        "technician_id": world.karim.id,
        "parts": (pump, joint, valve),
        "parts_edition": 1,
    }
    return reclamation(**(usual | fields))


def visit(**fields: Any) -> InterventionView:
    return a(InterventionView, **({"id": VISIT, "product_id": PRODUCT} | OF_IT | fields))


def appointment(**fields: Any) -> AppointmentView:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "start": SLOT.start,
        "end": SLOT.end,
        "arrival_from": SLOT.start,
        "arrival_until": SLOT.start + timedelta(hours=1),
    }
    return a(AppointmentView, **({"id": APPOINTMENT} | usual | OF_IT | fields))


def conflict(**fields: Any) -> ConflictView:
    usual: dict[str, Any] = {"intervention_id": VISIT, "wanted": SLOT, "proposals": [LATER]}
    return a(ConflictView, **({"id": CONFLICT} | usual | OF_IT | fields))


def report(**fields: Any) -> ReportView:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "reclamation_id": RECLAMATION,
        "findings": "Pompe bloquée",
        "work_done": "Pompe remplacée",
        "recommendations": "Faire purger les radiateurs chaque automne.",
        "signed_by": "Léa Bernard",
        "status": "submitted",
    }
    return a(ReportView, **({"id": REPORT} | usual | fields))


SELLER = Seller(name="SAV", address="Paris", registration="SIREN", vat_number="FR")
WITH_BANK = SELLER.model_copy(update={"bank": Bank(iban="FR7630006000011234567890189")})


def invoice(**fields: Any) -> InvoiceView:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "number": None,
        "status": "draft",
        "seller": SELLER,
        "buyer": Buyer(name="Léa Bernard", address=None),
        "supplied_on": date(2026, 11, 24),
        "net": "1029.00",
        "tax": "205.80",
        "total": "1234.80",
        "balance": "1234.80",
    }
    return a(InvoiceView, **({"id": INVOICE} | usual | OF_IT | fields))


ISSUED = {"number": "FAC-2026-000042", "status": "issued", "due_on": date(2026, 12, 24), "version": 2}


def payment(**fields: Any) -> PaymentView:
    usual: dict[str, Any] = {
        "invoice_id": INVOICE,
        "invoice_number": "FAC-2026-000042",
        "reclamation_id": RECLAMATION,
        "method": "transfer",
        "amount": Decimal("1000.00"),
        "received_on": date(2026, 12, 1),
    }
    return a(PaymentView, **({"id": PAYMENT} | usual | fields))


def feedback(**fields: Any) -> FeedbackView:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "reclamation_id": RECLAMATION,
        "open_until": LONG_AHEAD,
    }
    return a(FeedbackView, **({"id": FEEDBACK} | usual | fields))


KNOWN: tuple[View, ...] = (
    *ACCOUNTS,
    *CLIENTS,
    *TECHNICIANS,
    *(article(), product(), reclamation(), visit(), report(), invoice(**ISSUED), appointment()),
    # Another one, which Karim has.
    reclamation(
        id=UUID(int=101), reference="REC-2026-000101", technician_id=world.karim.id, status="assigned"
    ),
)


invited = account(Actor(id=UUID(int=41), role=Role.TECHNICIAN), "Omar Diallo", status="invited")


def invitation(expires_at: datetime = LONG_AHEAD) -> UserInvited:
    return UserInvited(state=invited, grant_id=GRANT, expires_at=expires_at)


def ended(why: SessionEnd) -> SessionEnded:
    return SessionEnded(state=ACCOUNTS[0], session_id=GRANT, why=why, revoked=(GRANT,))


def booked(**fields: Any) -> AppointmentBooked:
    return AppointmentBooked(state=appointment(**fields))


def relocated(reason: str | None = None) -> AppointmentMoved:
    """It was booked at `SLOT`, and is moved to `LATER`."""
    times = {"start": LATER.start, "end": LATER.end, "arrival_from": LATER.start, "arrival_until": LATER.end}
    return AppointmentMoved(state=appointment(version=2, reason=reason, **times), before=SLOT, reason=reason)


def timeless() -> InterventionUnscheduled:
    """The visit lost its time."""
    return InterventionUnscheduled(state=visit(slot=None, version=3), before=SLOT)


def planned(slot: Slot | None = None) -> InterventionPlanned:
    return InterventionPlanned(state=visit(), slot=slot)


def scheduled(slot: Slot = SLOT, **fields: Any) -> InterventionScheduled:
    """It is in the calendar."""
    return InterventionScheduled(state=visit(slot=slot, **({"version": 2} | fields)), slot=slot)


def created(**fields: Any) -> ReclamationCreated:
    return ReclamationCreated(state=reclamation(**fields))


def warned(clock: ClockName) -> SlaWarning:
    return SlaWarning(state=reclamation(version=2, legal_due=LEGAL_DAY), clock=clock, due=LONG_AHEAD)


def breached(clock: ClockName) -> SlaBreached:
    return SlaBreached(state=reclamation(version=2, overdue=True, legal_due=LEGAL_DAY), clock=clock, due=BORN)


def qualified(coverage: str, warranty: Warranty | None = None, version: int = 2) -> ReclamationQualified:
    state = reclamation(status="qualified", coverage=coverage, warranty=warranty, version=version)
    return ReclamationQualified(state=state, coverage=state.coverage, priority="high", reason="cosmetic")


def moved(
    after: str, reason: str | None = None, before: str = "accepted", **fields: Any
) -> InterventionMoved:
    return InterventionMoved.model_validate(
        {"state": visit(status=after, version=3, **fields), "before": before, "after": after}
        | {"reason": reason}
    )


def set_out_long_ago() -> InterventionMoved:
    """Told once the telephone was online again."""
    return moved("en_route").model_copy(update={"happened_at": datetime.now(UTC) - timedelta(hours=3)})


def refused_acts(*codes: str) -> ActsRefused:
    """Karim did three things on a visit that had been cancelled meanwhile."""
    at = datetime(2026, 3, 5, 8, 5, tzinfo=UTC)
    late = [RefusedAct(act="on_site", at=at, code=code) for code in codes or ("illegal_move",)]
    return ActsRefused(state=visit(status="cancelled", version=4), acts=late, number=3)


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


async def on_the_way(stage: Stage) -> None:
    await stage.hears(moved("en_route"))
