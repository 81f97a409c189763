"""Records of every kind, people, and who reads which: what the views say of who sees them is tried against this table."""

from typing import Any
from uuid import UUID, uuid4

import world
from given_views import FILE, LATER, NOW, a

from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.policy import PolicyView, SigningKeyView
from sav_contracts.calendar.absence import AbsenceView
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.calendar.hours import WorkingHoursView
from sav_contracts.calendar.waiting import EarlierVisitView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.catalog.article_import import ArticleImportView
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.stock import StockLevelView
from sav_contracts.catalog.stocktake import StocktakeView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.comment import CommentView, NoteView
from sav_contracts.claims.order import OrderView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.claims.saved_filter import SavedFilterView
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.client_credit import ClientCreditView
from sav_contracts.interventions.closing import ClosingView
from sav_contracts.interventions.credit_note import CreditNoteView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.margin import InvoiceMarginView
from sav_contracts.interventions.payment import PaymentView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.interventions.visit_photo import VisitPhotoView
from sav_contracts.messages import View
from sav_contracts.notifier import NotificationView
from sav_contracts.reporting import FeedbackView

lea, paul, karim, sofia, marie, alex = (
    world.lea, world.paul, world.karim, world.sofia, world.marie, world.alex,
)  # fmt: skip
# A client and a technician of whom nothing is told, but that they exist.
nadia = Actor(id=UUID(int=3), role=Role.CLIENT)
omar = Actor(id=UUID(int=13), role=Role.TECHNICIAN)
CAST = {
    "lea": lea, "paul": paul, "nadia": nadia, "karim": karim, "sofia": sofia, "omar": omar,
    "marie": marie, "alex": alex,
}  # fmt: skip
CLIENTS, TECHNICIANS, MANAGERS = {"lea", "paul", "nadia"}, {"karim", "sofia", "omar"}, {"marie", "alex"}

P = {name: uuid4() for name in ("under way", "done", "untouched", "visited", "paul's")}
# Léa's first réclamation is under way with Karim; her second is over, it was Sofia's; Paul's is under way with Sofia.
OPEN = a(ReclamationView, technician_id=karim.id, product_id=P["under way"], status="in_progress")
OVER = a(ReclamationView, technician_id=sofia.id, product_id=P["done"], status="closed")
MERGED = a(ReclamationView, technician_id=sofia.id, status="merged")
PAULS = a(ReclamationView, client_id=paul.id, technician_id=sofia.id, product_id=P["paul's"])
NEW = a(ReclamationView, client_id=paul.id, status="submitted")
NADIAS = a(ReclamationView, client_id=nadia.id, status="submitted")
OMARS = a(ReclamationView, client_id=uuid4(), technician_id=omar.id, status="closed")
# Omar was to visit Léa too, which was cancelled; Karim is at Nadia's for a visit without a réclamation.
VISIT = a(InterventionView, reclamation_id=OPEN.id)
LEFT = a(InterventionView, technician_id=omar.id, reclamation_id=OPEN.id, status="cancelled")
ELSEWHERE = a(InterventionView, client_id=nadia.id, product_id=P["visited"], status="on_site")
PAULS_VISIT = a(InterventionView, client_id=paul.id, technician_id=sofia.id, reclamation_id=PAULS.id)
DRAFT = a(InvoiceView, reclamation_id=OPEN.id, intervention_id=VISIT.id)
ISSUED = a(InvoiceView, number="F-1", status="issued", reclamation_id=OPEN.id, intervention_id=VISIT.id)
DISCARDED = a(InvoiceView, status="discarded")
PAULS_INVOICE = a(InvoiceView, client_id=paul.id, number="F-2", status="paid")
ARTICLE = a(ArticleView)
UNHEARD_OF = uuid4()
LEVEL = a(StockLevelView, article_id=ARTICLE.id)

# Each record, and who of clients and technicians reads it; managers and admins read all.
SEES: dict[str, tuple[View, set[str]]] = {
    "a réclamation under way": (OPEN, {"lea", "karim"}),
    "a réclamation that is over": (OVER, {"lea", "sofia"}),
    "a réclamation that was merged": (MERGED, {"lea", "sofia"}),
    "another client's réclamation": (PAULS, {"paul", "sofia"}),
    "a réclamation without a technician": (NEW, {"paul"}),
    "nadia's réclamation": (NADIAS, {"nadia"}),
    "omar's réclamation": (OMARS, {"omar"}),
    "a visit": (VISIT, {"lea", "karim"}),
    "a cancelled visit": (LEFT, {"lea", "omar"}),
    "another client's visit": (PAULS_VISIT, {"paul", "sofia"}),
    "a visit of nadia's": (ELSEWHERE, {"nadia", "karim"}),
    "the client of work under way": (a(ClientView, id=lea.id), {"lea", "karim"}),
    "the client of another's work": (a(ClientView, id=paul.id, client_id=paul.id), {"paul", "sofia"}),
    "the client of a visit only": (a(ClientView, id=nadia.id, client_id=nadia.id), {"nadia", "karim"}),
    "a product under repair": (a(ProductView, id=P["under way"]), {"lea", "karim"}),
    "a product repaired before": (a(ProductView, id=P["done"]), {"lea"}),
    "a product nobody complained about": (a(ProductView, id=P["untouched"]), {"lea"}),
    "a product that is visited": (a(ProductView, id=P["visited"], client_id=nadia.id), {"nadia", "karim"}),
    "another client's product": (a(ProductView, id=P["paul's"], client_id=paul.id), {"paul", "sofia"}),
    "karim's card": (a(TechnicianView, id=karim.id), {"lea", "nadia", "karim"}),
    "sofia's card": (
        a(TechnicianView, id=sofia.id, technician_id=sofia.id),
        {"lea", "paul", "sofia"},
    ),
    "omar's card": (a(TechnicianView, id=omar.id, technician_id=omar.id), {"lea", "omar"}),
    "an estimate that is written": (a(EstimateView), {"karim"}),
    "an estimate that was sent": (a(EstimateView, status="sent"), {"lea", "karim"}),
    "another client's estimate": (
        a(EstimateView, client_id=paul.id, technician_id=sofia.id, status="sent"),
        {"paul", "sofia"},
    ),
    "a draft invoice": (DRAFT, set()),
    "a discarded invoice": (DISCARDED, set()),
    "an issued invoice": (ISSUED, {"lea"}),
    "another client's invoice": (PAULS_INVOICE, {"paul"}),
    "a credit note": (a(CreditNoteView, invoice_id=ISSUED.id), {"lea"}),
    "another client's credit note": (
        a(CreditNoteView, client_id=paul.id, invoice_id=PAULS_INVOICE.id),
        {"paul"},
    ),
    "a payment": (a(PaymentView, invoice_id=ISSUED.id), {"lea"}),
    "a client's credit": (a(ClientCreditView, client_id=lea.id), {"lea"}),
    "a closing": (a(ClosingView), set()),
    "a payment of a draft": (a(PaymentView, invoice_id=DRAFT.id), set()),
    "a payment of nothing known": (a(PaymentView), set()),
    "an appointment": (a(AppointmentView), {"lea", "karim"}),
    "another technician's appointment": (
        a(AppointmentView, client_id=paul.id, technician_id=omar.id),
        {"paul", "omar"},
    ),
    "a conflict": (a(ConflictView), {"karim"}),
    "feedback that is asked for": (
        a(FeedbackView, client_id=paul.id, technician_id=omar.id),
        {"paul", "omar"},
    ),
    "a message to a client": (a(NotificationView), {"lea"}),
    "a message to a technician": (a(NotificationView, user_id=karim.id), {"karim"}),
    "a message to a manager": (a(NotificationView, user_id=marie.id), set()),
    "a message about a client's account": (a(NotificationView, category="account"), {"lea"}),
    "a message about a manager's account": (a(NotificationView, user_id=marie.id, category="account"), set()),
    "a message about an admin's account": (a(NotificationView, user_id=alex.id, category="account"), set()),
    "a purchase": (a(OrderView), {"lea"}),
    "another client's purchase": (a(OrderView, client_id=paul.id), {"paul"}),
    "an order for a repair": (
        a(OrderView, purpose="repair", technician_id=karim.id, reclamation_id=OPEN.id),
        {"lea", "karim"},
    ),
    "an order for another's repair": (
        a(
            OrderView,
            purpose="repair",
            client_id=paul.id,
            technician_id=sofia.id,
            reclamation_id=PAULS.id,
        ),
        {"paul", "sofia"},
    ),
    "an article": (ARTICLE, CLIENTS | TECHNICIANS),
    "an import of articles": (a(ArticleImportView), set()),
    "a stocktake": (a(StocktakeView), set()),
    "a manager's filter": (a(SavedFilterView, user_id=marie.id), set()),
    "an admin's filter": (a(SavedFilterView, user_id=alex.id), set()),
    "a filter that was removed": (a(SavedFilterView, user_id=None), set()),
}
# What each of managers and admins reads alone.
OWN_FILTERS = {"a manager's filter": "marie", "an admin's filter": "alex", "a filter that was removed": ""}
# What a manager does not read with the admins.
FOR_ADMINS = {
    "a message about a client's account",
    "a message about an admin's account",
    "what an article costs",
    "what is left of an invoice",
}
PHOTO, PAULS_PHOTO = a(PhotoView, reclamation_id=OPEN.id), a(PhotoView, reclamation_id=PAULS.id)
HOURS = a(WorkingHoursView)
# What names people, over if there is such a thing.
NAMING: dict[type[View], dict[str, Any]] = {
    ReclamationView: {"status": "closed"},
    InterventionView: {"status": "cancelled"},
    InvoiceView: {"status": "paid", "number": "F-3"},
    ProductView: {},
    AppointmentView: {},
    OrderView: {"status": "received"},
    FeedbackView: {},
    ConflictView: {},
    WorkingHoursView: {},
    EarlierVisitView: {"status": "ended"},
    AbsenceView: {"status": "removed"},
}


def named(kind: type[View], client: Actor, technician: Actor) -> dict[str, Any]:
    """The fields of this kind that name them."""
    both = {"client_id": client.id, "technician_id": technician.id}
    return {name: id for name, id in both.items() if name in kind.model_fields}


# The same of what is read by way of others, or by few.
MORE: dict[str, tuple[View, set[str]]] = {
    "what an article costs": (a(ArticleCostView, article_id=ARTICLE.id), set()),
    "what is left of an invoice": (a(InvoiceMarginView, invoice_id=ISSUED.id), set()),
    "a stock level": (LEVEL, TECHNICIANS),
    "a wish for an earlier visit": (a(EarlierVisitView), {"lea"}),
    "karim's hours": (HOURS, {"karim"}),
    "hours of somebody unheard of": (a(WorkingHoursView, technician_id=UNHEARD_OF), set()),
    "karim's absence": (a(AbsenceView), {"karim"}),
    "an absence of somebody unheard of": (a(AbsenceView, technician_id=UNHEARD_OF), set()),
    "a photo of work under way": (PHOTO, {"lea", "karim"}),
    "another client's photo": (PAULS_PHOTO, {"paul", "sofia"}),
    "a comment on work under way": (a(CommentView, reclamation_id=OPEN.id), {"lea", "karim"}),
    "a comment on what was merged": (a(CommentView, reclamation_id=MERGED.id), {"lea", "sofia"}),
    "a note on what was merged": (a(NoteView, reclamation_id=MERGED.id), {"sofia"}),
    "another client's comment": (a(CommentView, reclamation_id=PAULS.id), {"paul", "sofia"}),
    "a note on work under way": (a(NoteView, reclamation_id=OPEN.id), {"karim"}),
    "a note about another client": (a(NoteView, reclamation_id=PAULS.id), {"sofia"}),
    "what is reserved for work under way": (a(ReservationView, for_id=OPEN.id), {"karim"}),
    "what is reserved for another client": (a(ReservationView, for_id=PAULS.id), {"sofia"}),
    "what is reserved for an order": (a(ReservationView, for_kind="order", for_id=uuid4()), set()),
    "a photo that a validated report names": (
        a(VisitPhotoView, intervention_id=VISIT.id, reclamation_id=OPEN.id, shown=True),
        {"lea", "karim"},
    ),
    "a photo of a visit": (a(VisitPhotoView, intervention_id=VISIT.id, reclamation_id=OPEN.id), {"karim"}),
    "a photo of a cancelled visit": (
        a(VisitPhotoView, intervention_id=LEFT.id, reclamation_id=OPEN.id),
        {"omar"},
    ),
    "a validated report": (
        a(ReportView, intervention_id=VISIT.id, findings="older", status="validated", reason="interne"),
        {"lea", "karim"},
    ),
    "a newer draft": (
        a(ReportView, intervention_id=VISIT.id, findings="newer", edition=2, at=LATER),
        {"karim"},
    ),
    "a report that nobody validated": (
        a(ReportView, intervention_id=PAULS_VISIT.id, status="submitted"),
        {"sofia"},
    ),
    "an attestation": (
        a(AttestationView, intervention_id=VISIT.id, status="made", document=FILE),
        {"lea", "karim"},
    ),
    "an attestation that is to be made": (a(AttestationView, intervention_id=PAULS_VISIT.id), {"sofia"}),
    **{
        f"the account of {name}": (a(AccountView, id=who.id, user_id=who.id, role=who.role), {name})
        for name, who in CAST.items()
    },
    # Each named as what they are not: it is the role that decides by which name somebody sees.
    **{
        f"a {kind.kind()} of karim as client and lea as technician": (
            a(kind, **named(kind, karim, lea), **fields),
            set(),
        )
        for kind, fields in NAMING.items()
    },
    "a policy": (a(PolicyView), set()),
    "a signing key": (
        SigningKeyView(id=uuid4(), version=1, created_at=NOW, updated_at=NOW, key_id="1", pem="-"),
        CLIENTS | TECHNICIANS,
    ),
}
FOR_ADMINS |= {"a policy", "the account of alex"}


def may_see(record: str, name: str) -> bool:
    """Whether this person sees this record of the tables above."""
    _, concerned = (SEES | MORE)[record]
    if record in OWN_FILTERS:
        return OWN_FILTERS[record] == name
    return name in concerned or name == "alex" or (name == "marie" and record not in FOR_ADMINS)
