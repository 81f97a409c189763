"""Any service's records as their owner would announce them, for tests of what is read."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import world
from given_money import MONEY
from uuid_utils.compat import uuid7

from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_chassis.testing import enveloped
from sav_chassis.views import RecordedEvent, SqlExecutor
from sav_contracts import message_types
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.policy import PolicyView
from sav_contracts.calendar.absence import AbsenceView
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.calendar.hours import WorkingHoursView
from sav_contracts.calendar.waiting import EarlierVisitView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.catalog.article_import import ArticleImportView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.stock import StockLevelView
from sav_contracts.catalog.stocktake import StocktakeView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.comment import CommentView, NoteView
from sav_contracts.claims.order import OrderView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView, Safety
from sav_contracts.claims.saved_filter import SavedFilterView
from sav_contracts.files import StoredFile
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.margin import InvoiceMarginView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.interventions.visit_photo import VisitPhotoView
from sav_contracts.messages import Event, View
from sav_contracts.notifier import NotificationView
from sav_contracts.reporting import FeedbackView
from sav_contracts.slot import Slot
from sav_edge.completeness import mark_complete
from sav_edge.projection import apply

V = TypeVar("V", bound=View)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
FILE = StoredFile(sha256="a" * 64, media_type="image/jpeg", size=1000, name="photo.jpg")
NOBODYS = uuid4()

USUAL: dict[type[View], dict[str, Any]] = {
    **MONEY,
    AccountView: {
        "user_id": world.lea.id,
        "email": "lea@example.com",
        "name": "Léa",
        "role": "client",
        "locale": "fr",
        "status": "active",
    },
    PolicyView: {"name": "buffers", "value": {"travel_minutes": 30}, "changed_by": None},
    ArticleView: {
        "reference": "CH-1",
        "gtin": None,
        "name": "Chaudière",
        "brand": "Fondital",
        "model": None,
        "family": "heating",
        "description": "à condensation",
        "fuel": "gas",
        "power_kw": Decimal(24),
        "price": Decimal(1200),
        "currency": "EUR",
        "vat_class": "standard",
        "warranty_parts_months": 24,
        "warranty_labour_months": 24,
        "spare_parts_until": None,
        "compatible_parts": [],
        "image": None,
        "in_stock": True,
        "status": "active",
        "minimum_stock": 2,
    },
    ArticleCostView: {
        "article_id": NOBODYS,
        "reference": "CIR-25-60",
        "price": Decimal("112.00"),
        "currency": "EUR",
    },
    InvoiceMarginView: {
        "invoice_id": NOBODYS,
        "invoice_number": "F-2026-000001",
        "currency": "EUR",
        "parts": [],
        "net": Decimal("248.40"),
        "cost": Decimal("112.00"),
        "margin": Decimal("136.40"),
    },
    StocktakeView: {
        "reference": "INV-2026-000001",
        "counted_at": NOW,
        "by_id": world.marie.id,
        "note": None,
        "counted": 48,
        "adjusted": 2,
        "surplus": 1,
        "missing": 3,
        "value": [],
    },
    ArticleImportView: {
        "status": "queued",
        "dry_run": False,
        "file": StoredFile(sha256="a" * 64, media_type="application/gzip", size=1000, name="tarif.csv"),
        "by_id": world.marie.id,
        "lines": None,
        "checked": 0,
        "imported": 0,
        "added": 0,
        "updated": 0,
        "unchanged": 0,
        "wrong": 0,
        "report": None,
    },
    StockLevelView: {"article_id": NOBODYS, "reference": "CH-1", "level": 3, "minimum_stock": 2},
    ReservationView: {
        "article_id": NOBODYS,
        "reference": "CH-1",
        "quantity": 2,
        "for_kind": "reclamation",
        "for_id": NOBODYS,
        "for_reference": "REC-2026-000001",
        "line_id": NOBODYS,
        "status": "reserved",
    },
    ProductView: {
        "client_id": world.lea.id,
        "article_id": NOBODYS,
        "article": "Chaudière",
        "family": "heating",
        "serial": "S-1",
        "place": Place(address="1 rue Haute", postcode="75001", city="Paris"),
        "purchase_date": NOW.date(),
        "delivery_date": NOW.date(),
        "commissioning_date": None,
        "proof": None,
        "proof_state": "none",
        "proof_reason": None,
        "covers": [],
    },
    ClientView: {"client_id": world.lea.id, "name": "Léa", "email": "lea@example.com", "locale": "fr"},
    ReclamationView: {
        "reference": "REC-2026-000001",
        "client_id": world.lea.id,
        "technician_id": None,
        "article": "Chaudière",
        "problem_type": "leak",
        "description": "fuite",
        "safety": Safety(),
        "status": "assigned",
        "coverage": "unknown",
        "priority": "high",
        "priority_reason": "problem type leak",
    },
    OrderView: {
        "reference": "CMD-2026-000001",
        "purpose": "purchase",
        "client_id": world.lea.id,
        "technician_id": None,
        "reclamation_id": None,
        "reclamation_reference": None,
        "lines": (),
        "currency": "EUR",
        "net": Decimal("372.80"),
        "status": "placed",
    },
    PhotoView: {"reclamation_id": NOBODYS, "file": FILE, "by": "client"},
    CommentView: {
        "reclamation_id": NOBODYS,
        "by": "client",
        "author_id": world.lea.id,
        "author": "Léa",
        "text": "il goutte encore",
    },
    NoteView: {
        "reclamation_id": NOBODYS,
        "by": "manager",
        "author_id": world.marie.id,
        "author": "Marie",
        "text": "chien méchant",
    },
    SavedFilterView: {
        "user_id": world.alex.id,
        "name": "Urgences",
        "list": "/reclamations",
        "query": "priority=critical",
    },
    InterventionView: {
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": NOBODYS,
        "reclamation_reference": "REC-2026-000001",
        "status": "planned",
        "slot": None,
        "reason": None,
    },
    AttestationView: {
        "intervention_id": NOBODYS,
        "product_id": NOBODYS,
        "reclamation_id": None,
        "serviced_on": NOW.date(),
        "due_on": NOW.date(),
        "status": "due",
    },
    ReportView: {
        **dict.fromkeys(("recommendations", "signed_by", "signature", "signed_at")),
        **dict.fromkeys(("signature_refused", "reason")),
        **dict.fromkeys(("intervention_id", "reclamation_id"), NOBODYS),
        "edition": 1,
        "findings": "joint usé",
        "work_done": "joint changé",
        "status": "draft",
    },
    VisitPhotoView: {
        **dict.fromkeys(("intervention_id", "reclamation_id"), NOBODYS),
        "file": FILE,
        "by": "technician",
    },
    TechnicianView: {"technician_id": world.karim.id, "name": "Karim", "active": True},
    AppointmentView: {
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": NOBODYS,
        "reclamation_reference": "REC-2026-000001",
        "intervention_id": None,
        "start": NOW,
        "end": LATER,
        "zone": "Europe/Paris",
        "arrival_from": NOW,
        "arrival_until": LATER,
        "status": "booked",
        "held_until": None,
        "uid": "visit@sav",
        "sequence": 0,
        "reason": None,
    },
    EarlierVisitView: {
        "client_id": world.lea.id,
        "reclamation_id": NOBODYS,
        "reclamation_reference": "REC-2026-000001",
        "status": "waiting",
        "asked_at": NOW,
        "zone": "Europe/Paris",
    },
    WorkingHoursView: {
        "technician_id": world.karim.id,
        "zone": "Europe/Paris",
        "holidays": "FR",
        "shifts": [],
    },
    AbsenceView: {
        "technician_id": world.karim.id,
        "start": NOW,
        "end": LATER,
        "cause": "leave",
        "note": None,
        "status": "planned",
    },
    ConflictView: {
        "technician_id": world.karim.id,
        "reclamation_id": NOBODYS,
        "reclamation_reference": "REC-2026-000001",
        "intervention_id": None,
        "problem": "slot_taken",
        "wanted": Slot(start=NOW, end=LATER),
        "proposals": [],
        "status": "open",
    },
    NotificationView: {
        "user_id": world.lea.id,
        "category": "reclamation",
        "channel": "email",
        "template": "reclamation_created",
        "locale": "fr",
        "event_id": NOBODYS,
        "about_kind": "reclamation",
        "about_id": NOBODYS,
        "subject": "Votre réclamation",
        "status": "sent",
        "reason": None,
        "attempts": 1,
        "sent_at": None,
        "read_at": None,
    },
    FeedbackView: {
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "intervention_id": NOBODYS,
        "reclamation_id": NOBODYS,
        "status": "invited",
        "rating": None,
        "recommend": None,
        "comment": None,
        "contact_me": False,
        "open_until": LATER,
    },
}


def a(view: type[V], id: UUID | None = None, at: datetime = NOW, **fields: Any) -> V:
    """A record of this kind, of Léa and Karim unless the fields say otherwise."""
    stamp = {"id": id or uuid7(), "version": 1, "created_at": at, "updated_at": at}
    return view.model_validate(USUAL[view] | stamp | fields)


def told(event: Event) -> RecordedEvent:
    return enveloped(event), event


def announced(view: View) -> RecordedEvent:
    """The record in an event of its owner's that has nothing else to say."""
    event_type = next(
        event
        for event in message_types.EVENTS.values()
        if event.state_type() is type(view)
        and {name for name, field in event.model_fields.items() if field.is_required()} == {"state"}
    )
    return told(event_type(state=view))


async def new_read_model(settings: Settings) -> None:
    """A database of the edge, with a read model that is empty and whole."""
    await migrate(settings, "edge")
    async with asyncpg.create_pool(settings.database("edge"), min_size=1, max_size=1) as pool:
        await wipe(pool)


async def wipe(connection: SqlExecutor) -> None:
    """An empty read model of the edge, which holds everything that there is: nothing."""
    await connection.execute("TRUNCATE view, timeline, word")
    await mark_complete(connection)


async def show(connection: SqlExecutor, views: Iterable[View]) -> None:
    """Puts the records into the read model of the edge."""
    await apply(connection, [announced(view) for view in views])
