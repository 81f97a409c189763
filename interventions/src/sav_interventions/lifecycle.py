"""The states of visits, reports, attestations, estimates, invoices and payments."""

from typing import get_args

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, STAFF, Role
from sav_contracts.interventions.attestation import AttestationStatus
from sav_contracts.interventions.estimate import EstimateStatus
from sav_contracts.interventions.invoice import InvoiceStatus
from sav_contracts.interventions.payment import PaymentStatus
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
        # Work that the client pays for does not begin before they agree to its estimate. A danger stops it before.
        ("on_site", "incomplete"): STAFF,
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
    note="A technician who asks for `cancelled` is not refused: they decline, and the visit becomes `declined`.",
)

# A report stays `sent_back` while it is rewritten and signed again. Correcting a validated one is a
# further edition, which begins as `sent_back`.
REPORT: Lifecycle[ReportStatus] = Lifecycle(
    "report",
    {
        ("draft", "signed"): STAFF,
        ("draft", "signature_refused"): STAFF,
        # The work was recorded anew: what was signed said otherwise.
        ("signed", "draft"): {Role.SYSTEM},
        ("signature_refused", "draft"): {Role.SYSTEM},
        ("signed", "submitted"): STAFF,
        ("signature_refused", "submitted"): STAFF,
        ("submitted", "validated"): {Role.MANAGER},
        ("submitted", "sent_back"): {Role.MANAGER},
        ("sent_back", "submitted"): STAFF,
        ("validated", "archived"): {Role.ADMIN},
    },
    note="What a technician may, managers may once that technician takes no visits any more (409 `technician_writes`).",
)

# Its paper is made after the report of the visit is validated.
ATTESTATION: Lifecycle[AttestationStatus] = Lifecycle("attestation", {("due", "made"): {Role.SYSTEM}})

# By SYSTEM also for whoever answers by a link, without an account.
CLIENT_OR_LINK = {Role.CLIENT, Role.SYSTEM}

ESTIMATE: Lifecycle[EstimateStatus] = Lifecycle(
    "estimate",
    {
        ("draft", "sent"): {Role.MANAGER},
        # By a manager what was signed on paper.
        ("sent", "accepted"): CLIENT_OR_LINK | {Role.MANAGER},
        ("sent", "refused"): CLIENT_OR_LINK,
        ("sent", "expired"): {Role.SYSTEM},
        # Another edition was sent, or accepted.
        ("sent", "superseded"): {Role.SYSTEM},
        ("accepted", "superseded"): {Role.SYSTEM},
        # By a manager what came by letter.
        ("accepted", "withdrawn"): CLIENT_OR_LINK | {Role.MANAGER},
    },
)

INVOICE: Lifecycle[InvoiceStatus] = Lifecycle(
    "invoice",
    {
        ("draft", "issued"): MANAGERS,
        # Also by a reaction, where a manager decides afterwards that a warranty pays everything.
        ("draft", "discarded"): MANAGERS_OR_EVENT,
        ("issued", "partly_paid"): MANAGERS_OR_EVENT,
        ("issued", "paid"): MANAGERS_OR_EVENT,
        ("partly_paid", "paid"): MANAGERS_OR_EVENT,
        # Paid back, or taken back by the payer's bank: so much is to be paid again. Nobody issues it anew.
        ("paid", "partly_paid"): {Role.SYSTEM},
        ("paid", "issued"): {Role.SYSTEM},
        ("partly_paid", "issued"): {Role.SYSTEM},
        # Also by SAV itself, where a client withdraws.
        ("issued", "credited"): MANAGERS_OR_EVENT,
        ("partly_paid", "credited"): MANAGERS_OR_EVENT,
        ("paid", "credited"): MANAGERS_OR_EVENT,
    },
)

# Moves by SYSTEM are for what a payment provider reports. Its news may come late: money that arrived is a fact, also after
# the checkout was given up.
PAYMENT: Lifecycle[PaymentStatus] = Lifecycle(
    "payment",
    {
        ("initiated", "captured"): {Role.SYSTEM},
        ("initiated", "failed"): {Role.SYSTEM},
        ("initiated", "expired"): {Role.SYSTEM},
        ("failed", "captured"): {Role.SYSTEM},
        ("expired", "captured"): {Role.SYSTEM},
        ("captured", "partly_refunded"): MANAGERS_OR_EVENT,
        ("captured", "refunded"): MANAGERS_OR_EVENT,
        ("partly_refunded", "refunded"): MANAGERS_OR_EVENT,
        ("captured", "disputed"): {Role.SYSTEM},
        ("partly_refunded", "disputed"): {Role.SYSTEM},
        # What was more than the balance is the client's credit: that is disputed with it.
        ("refunded", "disputed"): {Role.SYSTEM},
        ("disputed", "captured"): {Role.SYSTEM},
        ("disputed", "partly_refunded"): {Role.SYSTEM},
        ("disputed", "refunded"): {Role.SYSTEM},
    },
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
# Those for which a visit ends before its work began: nothing is agreed, or its technician may not or cannot go on.
UNBEGUN_FOR: frozenset[Cause] = frozenset(
    {"approval", "estimate_refused", "stopped_for_safety", "technician_unavailable"}
)
