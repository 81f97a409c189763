"""A sample of an event, the same every time: Léa's boiler does not heat, Karim repairs it."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel, TypeAdapter, ValidationError

from sav_contracts.catalog.product import WARRANTY_RULES
from sav_contracts.messages import Event, View
from sav_ops.home import Problem

Json = dict[str, Any]

WORLD = UUID("5a5a0000-0000-4000-8000-000000000000")
KARIM = str(uuid5(WORLD, "technician"))
FULL = {"parts": 100, "labour": 100, "travel": 100}

# What stands in a field, by its name; by `model.field` or `field that holds it.field` where that says more.
WORDS: Json = {
    "about_id": str(uuid5(WORLD, "reclamation")),
    "about_kind": "reclamation",
    "access_notes": "Code 42B, deuxième étage",
    "active": True,
    "address": "3 rue des Lilas",
    "amount": "186.40",
    "arrival_from": "2026-03-05T08:00:00Z",
    "arrival_until": "2026-03-05T09:00:00Z",
    "article": "Chaudière murale Lumea 24",
    "balance": "205.04",
    "base": "186.40",
    "brand": "Lumea",
    "by": "client",
    "buyer.address": "3 rue des Lilas, 69003 Lyon",
    "category": "reclamation",
    "cause": "parts",
    "city": "Lyon",
    "closed_at": "2026-03-06T08:30:00Z",
    "co_alarm": False,
    "comment": "À l'heure, aimable, et il fait chaud.",
    "commissioning_date": "2025-09-15",
    "country": "FR",
    "coverage": "covered",
    "covered": 0,
    "covers.end": "2027-09-11",
    "covers.start": "2025-09-12",
    "created_at": "2026-03-02T08:15:00Z",
    "decided_at": "2026-03-03T10:20:00Z",
    "decision": "covered",
    "delivery_date": "2025-09-12",
    "description": "La chaudière ne démarre plus, les radiateurs restent froids.",
    "dwelling_over_two_years": True,
    "document.media_type": "application/pdf",
    "document.name": "FAC-2026-000001.pdf",
    "done_at": "2026-03-05T09:40:00Z",
    "due_on": "2026-04-05",
    "email": "lea@example.com",
    "email_verified": True,
    "end": "2026-03-05T10:00:00Z",
    "expires_at": "2026-03-09T08:15:00Z",
    "failed_serial": "CIR-0417",
    "failures": 5,
    "family": "heating",
    "findings": "Circulateur bloqué, pas de circulation dans le circuit de chauffage.",
    "fuel": "gas",
    "gtin": "3012345678900",
    "hash": "4be19f3c" * 8,
    "held_until": "2026-03-04T12:10:00Z",
    "holidays": "FR",
    "image.name": "lumea-24.jpg",
    "in_stock": True,
    "invoice_number": "FAC-2026-000001",
    "issued_on": "2026-03-06",
    "key_id": "5d0c9a41b7e2f836",
    "kind": "part",
    "labour.description": "Remplacement du circulateur, purge et remise en pression",
    "labour_rate": "58.00",
    "level": 3,
    "lines.description": "Circulateur 25-60",
    "lines.vat_class": "intermediate",
    "media_type": "image/jpeg",
    "mention": "Travaux dans un logement achevé depuis plus de deux ans (CGI, art. 279-0 bis).",
    "mentions": ["Pas d'escompte pour paiement anticipé."],
    "method": "transfer",
    "minimum_stock": 2,
    "minutes": 75,
    "model": "24 C",
    "name": "Léa Bernard",
    "net": "186.40",
    "now": {"travel_minutes": 45},
    "number": "FAC-2026-000001",
    "open_until": "2026-03-20T08:30:00Z",
    "paid": "0.00",
    "parts.name": "Circulateur 25-60",
    "parts.reference": "CIR-25-60",
    "parts.serial": "CIR-2291",
    "file.name": "chaudiere.jpg",
    "pem": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
    "phone": "+33 6 12 34 56 78",
    "phones": ["+33 6 12 34 56 78"],
    "postcode": "69003",
    "power_kw": "24.00",
    "previous_email": "lea.bernard@example.com",
    "previous_hash": "a07d52e6" * 8,
    "price": "2190.00",
    "priority": "high",
    "priority_reason": "no_heating",
    "problem_type": "no_heating",
    "product.article": "Chaudière murale Lumea 24",
    "proof.media_type": "application/pdf",
    "proof.name": "facture-achat.pdf",
    "proof_reason": "La date d'achat est illisible.",
    "proof_state": "submitted",
    "purchase_date": "2025-09-10",
    "purpose": "repair",
    "quantity": 1,
    "rate": "10",
    "rating": 5,
    "read_at": "2026-03-02T12:00:00Z",
    "readings": {"Pression": "1,5 bar", "Température de départ": "58 °C"},
    "reason": "Convenu au téléphone avec la cliente.",
    "received_on": "2026-03-20",
    "recommend": 9,
    "recommendations": "Entretien annuel avant l'hiver.",
    "reference": "REC-2026-000001",
    "reclamation_reference": "REC-2026-000001",
    "registration": "RCS Lyon 123 456 789",
    "replacement_serial": "CIR-2291",
    "resolution": "repaired",
    "role": "client",
    "rules": WARRANTY_RULES,
    "seller.address": "12 avenue Berthelot, 69007 Lyon",
    "seller.name": "Confort SAV",
    "serial": "LUM24-0007431",
    "sha256": "9f86d081" * 8,
    "shifts.end": "12:00:00",
    "shifts.start": "08:00:00",
    "signature.media_type": "image/png",
    "signature.name": "signature.png",
    "signature_refused": "La cliente veut d'abord relire le rapport.",
    "signed_at": "2026-03-05T09:45:00Z",
    "signed_by": "Léa Bernard",
    "size": 184_320,
    "solution": "Circulateur remplacé, circuit purgé, remis en pression.",
    "spare_parts_until": "2036-12-31",
    "start": "2026-03-05T08:00:00Z",
    "subject": "Votre réclamation REC-2026-000001",
    "supplied_on": "2026-03-05",
    "tax": "18.64",
    "time_zone": "Europe/Paris",
    "template": "reclamation_created",
    "total": "205.04",
    "travel_km": "12.5",
    "travel_rate": "0.62",
    "uid": "visit-000001@sav",
    "unit": "piece",
    "unit_price": "186.40",
    "until": "2027-09-11",
    "updated_at": "2026-03-06T08:30:00Z",
    "user_id": str(uuid5(WORLD, "client")),
    "value": {"travel_minutes": 45},
    "vat.vat": "18.64",
    "vat.vat_class": "intermediate",
    "vat_number": "FR12123456789",
    "version": 4,
    "warranty_labour_months": 24,
    "warranty_parts_months": 36,
    "were": {"travel_minutes": 30},
    "why": "cover_applies",
    "work_done": "Circulateur remplacé, circuit purgé et remis en pression.",
    "zone": "Europe/Paris",
    "AccountView.id": str(uuid5(WORLD, "client")),
    "ArticleView.description": "Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude.",
    "ArticleView.name": "Chaudière murale Lumea 24",
    "ArticleView.reference": "LUM-24-C",
    "Cover.kind": "legal_conformity",
    "PaymentView.amount": "205.04",
    "PaymentView.reference": "VIR 2026-03-20 BERNARD",
    "PolicyView.name": "buffers",
    "StockLevelView.reference": "CIR-25-60",
    "StockMoved.reference": "BL-88213",
    "TechnicianView.name": "Karim Haddad",
    **{f"Cover.{share}": paid for share, paid in FULL.items()},
    **{f"Warranty.{share}": paid for share, paid in FULL.items()},
}
# What is otherwise in the sample of an event: the state it leaves, and what is not there yet.
NEW_CLAIM = {
    "version": 1,
    "updated_at": WORDS["created_at"],
    "coverage": "unknown",
    "technician_id": None,
    "warranty": None,
    "resolution": None,
}
NEW_VISIT = {"cause": None, "work": None, "done_at": None, "closed_at": None}
DRAFT = {"status": "draft"} | dict.fromkeys(
    ("number", "issued_on", "due_on", "document", "hash", "previous_hash")
)
UNSIGNED = dict.fromkeys(("signed_by", "signature", "signed_at"))
TOLD: dict[str, Json] = {
    "UserInvited": {"name": "Karim Haddad", "email": "karim@example.com", "role": "technician"}
    | {"AccountView.id": KARIM, "user_id": KARIM},
    "ClientAdded": {"status": "invited", "email_verified": False, "version": 1},
    "UserRegistered": {"status": "active", "version": 1},
    "UserActivated": {"status": "active"},
    "SignUpRepeated": {"status": "active"},
    "UserUpdated": {"status": "active"},
    "UserDeactivated": {"status": "deactivated"},
    "RoleAssigned": {
        **{"status": "active", "name": "Karim Haddad", "email": "karim@example.com"},
        **{"role": "manager", "previous": "technician", "AccountView.id": KARIM, "user_id": KARIM},
    },
    "EmailVerificationRequested": {
        "status": "active",
        "email_verified": False,
        "EmailVerificationRequested.email": "lea.bernard@example.com",
    },
    "EmailChangeRequested": {"status": "active"},
    "EmailVerified": {"status": "active"},
    "PasswordResetRequested": {"status": "active"},
    "PasswordChanged": {"status": "active"},
    "SessionEnded": {"status": "active"},
    "SecondFactorTurned": {"status": "active", "on": True},
    "AccountChanged": {"status": "active"},
    "SignInFailedRepeatedly": {"status": "active"},
    "SignedInFromNewPlace": {
        **{"status": "active", "at": "2026-03-06T08:30:00Z"},
        **{"SignedInFromNewPlace.address": "192.0.2.7", "SignedInFromNewPlace.agent": "Firefox, Windows"},
    },
    "ArticleRetired": {"status": "retired"},
    "StockMoved": {"movement": "receive", "quantity": 2},
    "StockLow": {"level": 1},
    "ProductRegistered": {
        "version": 1,
        "proof_state": "none",
        "proof": None,
        "proof_reason": None,
        "covers": [],
    },
    "ProductVerified": {"proof_state": "accepted", "proof_reason": None, "accepted": True},
    "ProductChanged": {"proof_state": "refused", "covers": []},
    "ProofSubmitted": {"proof_state": "submitted", "proof_reason": None, "covers": []},
    "ReclamationCreated": {"status": "submitted"} | NEW_CLAIM,
    "ReclamationQualified": {"status": "qualified", "technician_id": None, "resolution": None},
    "TechnicianAssigned": {"status": "assigned", "resolution": None},
    "TechnicianUnassigned": {
        "status": "qualified",
        "ReclamationView.technician_id": None,
        "resolution": None,
    },
    "ReclamationMoved": {"status": "resolved", "before": "in_progress", "after": "resolved"},
    "ReclamationChanged": {"status": "assigned", "resolution": None},
    "ReclamationClosed": {"status": "closed"},
    "InterventionPlanned": {"status": "planned"} | NEW_VISIT,
    "InterventionScheduled": {"status": "planned"} | NEW_VISIT,
    "InterventionChanged": {"status": "paused", "done_at": None, "closed_at": None},
    "InterventionMoved": {
        "status": "incomplete",
        "before": "in_progress",
        "after": "incomplete",
        "closed_at": None,
    },
    "InterventionStarted": {"status": "in_progress"} | NEW_VISIT,
    "WorkRecorded": {"status": "in_progress", "cause": None, "done_at": None, "closed_at": None},
    "WarrantyDecided": {"status": "planned"} | NEW_VISIT,
    "InterventionClosed": {"status": "incomplete", "outcome": "incomplete"},
    "AssignmentRefused": {"status": "on_site"} | NEW_VISIT,
    "ReportChanged": {"status": "signed", "signature_refused": None, "ReportView.reason": None},
    "ReportSubmitted": {"status": "submitted", "ReportView.reason": None} | UNSIGNED,
    "ReportSentBack": {"status": "sent_back", "reason": "Il manque la pression après remise en service."}
    | UNSIGNED,
    "ReportValidated": {"status": "validated", "signature_refused": None, "ReportView.reason": None},
    "InvoiceDrafted": DRAFT,
    "InvoiceChanged": {"status": "issued"},
    "InvoiceDiscarded": DRAFT | {"status": "discarded", "reason": "Geste commercial."},
    "InvoiceIssued": {"status": "issued", "document": None, "reason": None},
    "InvoicePaid": {"status": "paid", "paid": "205.04", "balance": "0.00", "reason": None},
    "PaymentRecorded": {"status": "captured"},
    "PaymentChanged": {"status": "captured"},
    "AppointmentChanged": {"status": "held", "intervention_id": None},
    "AppointmentBooked": {"status": "booked", "held_until": None, "reason": None},
    "AppointmentCancelled": {"status": "cancelled", "held_until": None},
    "AppointmentKept": {"status": "done", "held_until": None},
    "ConflictResolved": {"status": "resolved"},
    "NotificationChanged": {"status": "read"},
    "NotificationSent": {"status": "sent", "reason": None, "read_at": None},
    "NotificationFailed": {
        "status": "failed",
        "reason": "connection refused",
        "sent_at": None,
        "read_at": None,
    },
    "FeedbackInvited": {"status": "invited", "rating": None, "recommend": None, "comment": None},
    "FeedbackGiven": {"status": "given"},
    "FeedbackChanged": {"status": "given"},
}
USUAL: dict[Any, Any] = {
    str: "Texte",
    int: 1,
    float: 1.0,
    bool: False,
    Decimal: Decimal("1.00"),
    datetime: "2026-03-05T09:00:00Z",
    date: "2026-03-05",
    time: "09:00:00",
}


def sample(event: type[Event]) -> Json:
    """An event as its body is on the wire; `Problem` where a field takes nothing that stands here."""
    filled = _model("", event, WORDS | TOLD.get(event.__name__, {}))
    try:
        made: Json = json.loads(event.model_validate(filled).model_dump_json())
    except ValidationError as error:
        raise Problem(f"Say in ops/src/sav_ops/samples.py what a sample holds. {error}") from None
    return made


def _model(holder: str, model: type[BaseModel], words: Json) -> Json:
    return {
        field.alias or name: _value(
            (f"{holder}.{name}", f"{model.__name__}.{name}", name), model, annotation, words
        )
        for name, field in model.model_fields.items()
        if (
            annotation := Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        )
    }


def _value(names: tuple[str, str, str], model: type[BaseModel], annotation: Any, words: Json) -> Any:
    """The first word of these names that the field takes; else something of its type."""
    for name in names:
        if name in words and _takes(annotation, words[name]):
            return words[name]
    if names[-1] == "id" and issubclass(model, View):
        return uuid5(WORLD, model.kind())
    return _made(names[-1], annotation, words)


def _takes(annotation: Any, word: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(word)
    except ValidationError:
        return False
    return True


def _made(name: str, annotation: Any, words: Json) -> Any:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _made(name, parts[0], words)
    if origin in (Union, UnionType):
        return _made(name, next(part for part in parts if part is not NoneType), words)
    if origin is Literal:
        return parts[0]
    if origin is dict:
        return {_made(name, parts[0], words): _made(name, parts[1], words)}
    if origin is not None:
        return [_made(name, parts[0], words)]
    if annotation is UUID:
        # `client_id` is the id of the client's own record, wherever it stands.
        return uuid5(WORLD, name.removesuffix("_id"))
    if issubclass(annotation, BaseModel):
        return _model(name, annotation, words)
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    return USUAL[annotation]
