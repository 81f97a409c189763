"""What is told to whom: one case for each event, and for each way in which it is told otherwise."""

from datetime import date
from decimal import Decimal
from typing import get_args
from uuid import UUID

import world
from given_notifier import (
    ACCOUNTS,
    BORN,
    CLASH,
    DRAFT,
    GRANT,
    ISSUED,
    LATER,
    LONG_AHEAD,
    SLOT,
    appointment,
    booked,
    breached,
    created,
    ended,
    feedback,
    given_feedback,
    invitation,
    invited,
    invoice,
    moved,
    payment,
    planned,
    qualified,
    reclamation,
    refused_acts,
    report,
    resolved,
    scheduled,
    set_out_long_ago,
    visit,
    warned,
)
from notifier_case import KARIM, LEA, MANAGERS, Case
from notifier_cases_by_hand import BY_HAND
from notifier_cases_catalogue import CATALOGUE
from notifier_cases_conflicts import CONFLICTS
from notifier_cases_cut_off import CUT_OFF
from notifier_cases_dunning import DUNNING
from notifier_cases_estimates import ESTIMATES
from notifier_cases_orders import ORDERS
from notifier_cases_payments import PAYMENTS
from notifier_cases_people import PEOPLE
from notifier_cases_readings import READINGS
from notifier_cases_states import STATES
from notifier_cases_visits import VISITS
from notifier_cases_warranty import WARRANTIES

from sav_contracts.actor import Role
from sav_contracts.auth.account import (
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
    SignedInFromNewPlace,
)
from sav_contracts.calendar.appointment import AppointmentCancelled
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Cover, Warranty
from sav_contracts.claims.reclamation import (
    PhotosAdded,
    ReclamationClosed,
    ReclamationMoved,
    Safety,
    TechnicianAssigned,
)
from sav_contracts.claims.sla import ClockName
from sav_contracts.interventions.invoice import InvoiceDrafted, InvoiceIssued, Lack
from sav_contracts.interventions.payment import PaymentRecorded
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportValidated
from sav_contracts.interventions.visit import WarrantyDecided
from sav_contracts.reporting import FeedbackInvited

OVER = Cover(
    kind="legal_conformity", start=date(2020, 1, 1), end=date(2021, 12, 31), parts=100, labour=100, travel=100
)


SOUSSE = Place(address="4 rue de la Plage", postcode="4000", city="Sousse", country="TN")


DANGERS = Safety(gas_smell=True, co_alarm=True, flooding=True)


PARTLY = Warranty(decision="partly", parts=100, labour=50, travel=0, why="cover_applies")


ENDED = Warranty(decision="not_covered", why="covers_ended", until=date(2025, 12, 31))


UNCLEAR = Warranty(decision="unknown", why="proof_not_accepted")


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
    Case(
        "a dangerous réclamation that a manager was told of",
        created(safety=DANGERS, priority="critical", opened_by=world.marie.id),
        {"reclamation_received": LEA, "reclamation_new": MANAGERS | {world.alex.id}},
    ),
    Case(
        "a dangerous réclamation in Tunisia",
        created(safety=DANGERS, priority="critical", place=SOUSSE),
        {"reclamation_received": LEA, "reclamation_new": MANAGERS | {world.alex.id}},
    ),
    Case(
        "a réclamation taken by telephone",
        created(
            channel="phone",
            place=SOUSSE,
            preferred_times=({"weekday": "tue", "part": "morning"}, {"on": "2126-11-26"}),
            unanswered=("gas_smell",),
            possible_duplicates=({"id": UUID(int=101), "reference": "REC-2026-000099"},),
            repeat_of=UUID(int=101),
        ),
        {"reclamation_received": LEA, "reclamation_new": MANAGERS},
    ),
    Case(
        "photos of the client",
        PhotosAdded(state=reclamation(status="qualified", version=2), number=2),
        {"photos_added": MANAGERS},
    ),
    Case(
        "photos that were asked for",
        PhotosAdded(state=reclamation(status="qualified", version=2), number=1, answers=True),
        {"photos_added": MANAGERS},
    ),
    *(
        Case(f"nearly overdue: {clock}", warned(clock), {"sla_warning": MANAGERS})
        for clock in get_args(ClockName)
    ),
    *(
        Case(f"overdue: {clock}", breached(clock), {"sla_breached": MANAGERS | {world.alex.id}})
        for clock in get_args(ClockName)
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
    Case("on the way long ago", set_out_long_ago(), {}),
    Case("done offline, too late", refused_acts(), {"acts_refused": MANAGERS}),
    Case("declined", moved("declined", "En arrêt maladie."), {"visit_declined": MANAGERS}),
    Case("declined without a reason", moved("declined"), {"visit_declined": MANAGERS}),
    Case("cancelled visit", moved("cancelled", slot=SLOT), {"visit_cancelled": KARIM}, (scheduled(),)),
    Case("cancelled visit without a time", moved("cancelled"), {"visit_cancelled": KARIM}, (planned(),)),
    Case("cancelled before its technician knew", moved("cancelled"), {}, (planned(SLOT), CLASH)),
    Case("cancelled by its technician", moved("cancelled"), {}, (planned(),), by=world.karim),
    *(Case(f"visit {after}", moved(after), {}) for after in ("accepted", "on_site", "completed", "paused")),
    Case("conflict", CLASH, {"visit_conflict": MANAGERS}, (planned(SLOT),)),
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
    Case(
        "what a purchase's invoice lacks",
        InvoiceDrafted(
            state=invoice(
                id=DRAFT,
                order_reference="CMD-2026-000012",
                reclamation_id=None,
                reclamation_reference=None,
                lacks=list(get_args(Lack)),
            )
        ),
        {"invoice_to_issue": MANAGERS},
    ),
    Case("invoice issued", InvoiceIssued(state=invoice(**ISSUED)), {"invoice_issued": LEA}),
    Case(
        "invoice that deposits cover",
        InvoiceIssued(state=invoice(**ISSUED | {"deducted": Decimal("1234.80"), "balance": Decimal("0.00")})),
        {"invoice_issued": LEA},
    ),
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
    *CATALOGUE,
    *BY_HAND,
    *PEOPLE,
    *READINGS,
    *DUNNING,
    *ESTIMATES,
    *CONFLICTS,
    *CUT_OFF,
    *WARRANTIES,
    *ORDERS,
    *PAYMENTS,
    *STATES,
    *VISITS,
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
