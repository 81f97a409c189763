"""The states of visits, reports, attestations, invoices and payments."""

from typing import get_args

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, STAFF, Role
from sav_contracts.interventions.attestation import AttestationStatus
from sav_contracts.interventions.invoice import InvoiceStatus, PaymentStatus
from sav_contracts.interventions.report import ReportStatus
from sav_contracts.interventions.visit import OPEN_VISIT, Cause, InterventionStatus

# Managers move a visit on the technician's behalf.
MANAGERS_OR_EVENT = MANAGERS | {Role.SYSTEM}

INTERVENTION: Lifecycle[InterventionStatus] = Lifecycle(
    "intervention",
    {
        ("planned", "accepted"): STAFF,
        ("planned", "declined"): STAFF,
        ("accepted", "declined"): STAFF,
        ("accepted", "en_route"): STAFF,
        ("en_route", "declined"): STAFF,
        ("en_route", "on_site"): STAFF,
        ("on_site", "in_progress"): STAFF,
        ("on_site", "no_access"): STAFF,
        ("in_progress", "paused"): STAFF,
        ("paused", "in_progress"): STAFF,
        ("in_progress", "completed"): STAFF,
        ("paused", "completed"): STAFF,
        ("in_progress", "incomplete"): STAFF,
        ("paused", "incomplete"): STAFF,
        # A technician who does not come declines: the visit needs somebody else.
        ("planned", "cancelled"): MANAGERS_OR_EVENT,
        ("accepted", "cancelled"): MANAGERS_OR_EVENT,
        ("en_route", "cancelled"): MANAGERS_OR_EVENT,
    },
)

# A report stays `sent_back` while it is rewritten and signed again. Correcting a validated one makes a new edition.
REPORT: Lifecycle[ReportStatus] = Lifecycle(
    "report",
    {
        ("draft", "signed"): {Role.TECHNICIAN},
        ("draft", "signature_refused"): {Role.TECHNICIAN},
        ("signed", "submitted"): {Role.TECHNICIAN},
        ("signature_refused", "submitted"): {Role.TECHNICIAN},
        ("submitted", "validated"): {Role.MANAGER},
        ("submitted", "sent_back"): {Role.MANAGER},
        ("sent_back", "submitted"): {Role.TECHNICIAN},
        ("validated", "archived"): {Role.ADMIN},
    },
)

# Its paper is made after the report of the visit is validated.
ATTESTATION: Lifecycle[AttestationStatus] = Lifecycle("attestation", {("due", "made"): {Role.SYSTEM}})

INVOICE: Lifecycle[InvoiceStatus] = Lifecycle(
    "invoice",
    {
        ("draft", "issued"): MANAGERS,
        # Also by a reaction, where a manager decides afterwards that a warranty pays everything.
        ("draft", "discarded"): MANAGERS_OR_EVENT,
        ("issued", "partly_paid"): MANAGERS_OR_EVENT,
        ("issued", "paid"): MANAGERS_OR_EVENT,
        ("partly_paid", "paid"): MANAGERS_OR_EVENT,
        ("issued", "credited"): MANAGERS,
        ("partly_paid", "credited"): MANAGERS,
        ("paid", "credited"): MANAGERS,
    },
    unmade=["credited"],
)

# Moves by SYSTEM are for what a payment provider reports.
PAYMENT: Lifecycle[PaymentStatus] = Lifecycle(
    "payment",
    {
        ("initiated", "captured"): {Role.SYSTEM},
        ("initiated", "failed"): {Role.SYSTEM},
        ("initiated", "expired"): {Role.SYSTEM},
        ("captured", "partly_refunded"): MANAGERS_OR_EVENT,
        ("captured", "refunded"): MANAGERS_OR_EVENT,
        ("partly_refunded", "refunded"): MANAGERS_OR_EVENT,
        ("captured", "disputed"): {Role.SYSTEM},
        ("disputed", "captured"): {Role.SYSTEM},
        ("disputed", "refunded"): {Role.SYSTEM},
    },
    # A payment that a manager records is captured from the first; no provider is asked yet.
    unmade=get_args(PaymentStatus),
)

OVER: tuple[InterventionStatus, ...] = tuple(
    status for status in get_args(InterventionStatus) if status not in OPEN_VISIT
)
# No work was done: there is nothing to pay or report.
DID_NOT_HAPPEN: frozenset[InterventionStatus] = frozenset({"declined", "no_access", "cancelled"})
# Nobody came: there is nothing to show either. Where nobody opened, a photo shows that.
NOBODY_CAME: frozenset[InterventionStatus] = frozenset({"declined", "cancelled"})
# In these states a visit is late when its slot ends.
NOT_BEGUN: frozenset[InterventionStatus] = frozenset({"planned", "accepted", "en_route", "on_site"})
UNDER_WAY: frozenset[InterventionStatus] = frozenset({"in_progress", "paused"})
DONE: frozenset[InterventionStatus] = frozenset({"completed", "incomplete"})

# The causes a visit may pause for; any cause may leave it incomplete.
WAITS_FOR: frozenset[Cause] = frozenset({"parts", "access", "approval"})
