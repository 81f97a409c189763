"""Timelines in plain words: what each event that clients see means, in both languages.

Clients and staff read the same sentences: none of them addresses its reader.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from sav_contracts import message_types
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentMissedByTechnician,
    AppointmentMoved,
)
from sav_contracts.calendar.waiting import EarlierVisitOffered, EarlierVisitTakenBack
from sav_contracts.catalog.product import ProductRegistered, ProductVerified, ProofSubmitted, WarrantyChanged
from sav_contracts.claims.comment import CommentAdded
from sav_contracts.claims.order import (
    OrderCancelled,
    OrderMoved,
    OrderPlaced,
    OrderReceived,
    OrderRefused,
    OrderReturned,
    OrderShipped,
    OrderValidated,
    OrderWithdrawn,
)
from sav_contracts.claims.photo import PhotoAdded
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationReopened,
    TechnicianAssigned,
)
from sav_contracts.interventions.attestation import AttestationMade
from sav_contracts.interventions.client_credit import CreditReceived, CreditRefunded
from sav_contracts.interventions.credit_note import CreditNoteIssued
from sav_contracts.interventions.dunning import InvoiceOverdue, InvoiceReminded
from sav_contracts.interventions.estimate import (
    EstimateAccepted,
    EstimateExpired,
    EstimateRefused,
    EstimateSent,
    EstimateWithdrawn,
)
from sav_contracts.interventions.invoice import InvoiceIssued, InvoicePaid
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.payment import PaymentFailed, PaymentRecorded, PaymentRefunded
from sav_contracts.interventions.report import ReportValidated
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import (
    CarbonMonoxideFound,
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_contracts.reporting import FeedbackGiven
from sav_contracts.sentences import Text, filled
from sav_edge.language import names_a_language, prefers_french
from sav_edge.read_model import ReadModel

Facts = Mapping[str, Any]
# The names of people, by id.
Names = Mapping[str, str]
Says = Callable[[Facts, Names], Text | None]

SOMEBODY = Text("a technician", "un technicien")
BECAME: dict[str, Text] = {
    "submitted": Text("We go on with the claim", "Nous poursuivons le traitement de la réclamation"),
    "qualified": Text("The claim waits for a technician", "La réclamation attend un technicien"),
    "awaiting_client": Text(
        "A question is to be answered: “{question}”", "Une question attend une réponse : « {question} »"
    ),
    "assigned": Text("Another visit is needed", "Une autre visite est nécessaire"),
    "in_progress": Text("The repair is under way", "La réparation est en cours"),
    "awaiting_parts": Text("The repair waits for spare parts", "La réparation attend des pièces détachées"),
    "resolved": Text("The case is finished on our side", "Le dossier est terminé de notre côté"),
    "closed": Text("The claim is closed", "La réclamation est close"),
    "reopened": Text("The claim is open again", "La réclamation est rouverte"),
    "cancelled": Text("The claim is cancelled{why}", "La réclamation est annulée{why}"),
    "rejected": Text("The claim is not taken up{why}", "La réclamation n’est pas prise en charge{why}"),
    "merged": Text("The claim goes on as {target}", "La réclamation se poursuit sous la référence {target}"),
}
# The words of the message `reclamation_resolved`; those of other resolutions are in BECAME.
RESOLVED: dict[str, Text] = {
    "repaired": Text("The repair is finished", "La réparation est terminée"),
    "advice": Text(
        "We believe that our advice has solved the problem",
        "Nous pensons que nos conseils ont réglé le problème",
    ),
    "no_repair": Text(
        "The case is finished on our side, without a repair",
        "Le dossier est terminé de notre côté, sans réparation",
    ),
    "estimate_refused": Text(
        "The case is settled: no repair was made after the estimate was refused",
        "Le dossier est terminé : aucune réparation n’a été faite après le refus du devis",
    ),
    "replaced": Text("The appliance was replaced", "L’appareil a été remplacé"),
}
VISIT: dict[str, Text] = {
    "en_route": Text("The technician is on the way", "Le technicien est en route"),
    "on_site": Text("The technician has arrived", "Le technicien est sur place"),
    "completed": Text("The work is finished", "Les travaux sont terminés"),
    "incomplete": Text(
        "The work could not be finished on this visit",
        "Les travaux n’ont pas pu être terminés lors de cette visite",
    ),
    "no_access": Text(
        "The technician came and could not get in", "Le technicien est venu et n’a pas pu entrer"
    ),
    "cancelled": Text("The visit is cancelled", "La visite est annulée"),
}
PAYS: dict[str, Text] = {
    "covered": Text("The warranty pays", "La garantie prend en charge l’intervention"),
    "partly": Text("The warranty pays a part", "La garantie prend en charge une partie de l’intervention"),
    "not_covered": Text("The warranty does not pay", "La garantie ne prend pas en charge l’intervention"),
    "unknown": Text("We are checking whether a warranty pays", "Nous vérifions si une garantie s’applique"),
}
COVERS: dict[str, Text] = {
    "cover_added": Text("The product has another warranty", "Le produit a une garantie de plus"),
    "cover_voided": Text("A warranty of the product has ended", "Une garantie du produit a pris fin"),
    "repaired": Text(
        "The warranty lasts longer after the repair", "La garantie est prolongée après la réparation"
    ),
    "replaced": Text("The product was replaced", "Le produit a été remplacé"),
    "suspended": Text(
        "The days without the product are added to the warranty",
        "Les jours passés sans le produit s’ajoutent à la garantie",
    ),
}
AIR: dict[str, Text] = {
    "abnormal": Text(
        "More carbon monoxide than is normal was measured in the room: {ppm} ppm",
        "Un taux anormal de monoxyde de carbone a été mesuré dans la pièce : {ppm} ppm",
    ),
    "dangerous": Text(
        "A dangerous amount of carbon monoxide was measured in the room: {ppm} ppm. The appliance stays off",
        "Un taux dangereux de monoxyde de carbone a été mesuré dans la pièce : {ppm} ppm. L’appareil reste à l’arrêt",
    ),
}


ORDERED: dict[str, Text] = {
    "reserved": Text("The ordered parts are in stock", "Les pièces commandées sont en stock"),
    "back_ordered": Text("The ordered parts are awaited", "Les pièces commandées sont attendues"),
}
# Why an appointment was cancelled, where nobody said why.
FREED: dict[str, Text] = {
    "another_time": Text("another time was chosen", "un autre créneau a été choisi"),
    "another_technician": Text(
        "the visit is in the hands of another technician", "la visite est confiée à un autre technicien"
    ),
    "not_booked": Text("nobody booked it", "personne ne l’a réservé"),
    "offer_over": Text("the offer is over", "la proposition n’est plus valable"),
    "reclamation_over": Text(
        "no visit is due for the claim now", "aucune visite n’est à prévoir pour la réclamation"
    ),
    "technician_away": Text("the technician is not there then", "le technicien est absent à ce moment-là"),
    "technician_left": Text(
        "the technician takes no visits any more", "le technicien n’assure plus de visites"
    ),
    "technician_there": Text(
        "another technician has arrived already", "un autre technicien est déjà sur place"
    ),
    "visit_off": Text("the visit does not take place", "la visite n’a pas lieu"),
}


def _always(en: str, fr: str) -> Says:
    return lambda facts, names: Text(en, fr)


def _moved(facts: Facts, names: Names) -> Text | None:
    after = facts.get("after")
    if facts.get("before") == "awaiting_client" and after == "qualified":
        after = "submitted"
    if after == "assigned" and facts.get("before") not in ("in_progress", "awaiting_parts"):
        return Text("The visit goes on", "La visite se poursuit")
    if after == "resolved" and (how := RESOLVED.get(str(facts.get("resolution")))):
        return how
    reason = facts.get("reason")
    why = Text(f": “{reason}”", f" : « {reason} »") if reason else Text("", "")
    said = {"question": facts.get("question", ""), "target": facts.get("target_reference", ""), "why": why}
    return _filled(BECAME.get(str(after)), said)


def _assigned(facts: Facts, names: Names) -> Text:
    name = names.get(str(facts.get("technician_id"))) or SOMEBODY
    now = "now " if facts.get("previous_technician_id") else ""
    template = Text(
        f"The claim is {now}in the hands of {{name}}",
        f"La réclamation est {'désormais ' if now else ''}confiée à {{name}}",
    )
    return filled(template, {"name": name})


def _freed(facts: Facts, names: Names) -> Text:
    why = FREED.get(str(facts.get("cause")))
    return Text(
        "The appointment is cancelled" + (f": {why.en}" if why else ""),
        "Le rendez-vous est annulé" + (f"\N{NO-BREAK SPACE}: {why.fr}" if why else ""),
    )


def _verified(facts: Facts, names: Names) -> Text:
    if facts.get("accepted"):
        return Text("The proof of purchase is accepted", "La preuve d’achat est acceptée")
    reason = facts.get("reason")
    return Text(
        "The proof of purchase is refused" + (f": “{reason}”" if reason else ""),
        "La preuve d’achat est refusée" + (f" : « {reason} »" if reason else ""),
    )


def _filled(template: Text | None, said: dict[str, Any]) -> Text | None:
    return filled(template, said) if template else None


def _by(table: Mapping[str, Text], fact: str) -> Says:
    return lambda facts, names: table.get(str(facts.get(fact)))


SENTENCES: dict[type[Event], Says] = {
    ProductRegistered: _always("The product was registered", "Le produit a été enregistré"),
    ProofSubmitted: _always("A proof of purchase was sent", "Une preuve d’achat a été envoyée"),
    ProductVerified: _verified,
    WarrantyChanged: _by(COVERS, "cause"),
    ReclamationCreated: _always("The fault was reported", "La panne a été signalée"),
    # Who pays is told of its visit, by `WarrantyDecided`: once for each decision.
    ReclamationQualified: _always("The claim was examined", "La réclamation a été examinée"),
    TechnicianAssigned: _assigned,
    ReclamationMoved: _moved,
    ReclamationClosed: lambda facts, names: BECAME["closed"],
    ReclamationReopened: lambda facts, names: BECAME["reopened"],
    OrderPlaced: _always(
        "Parts were ordered for the repair", "Des pièces ont été commandées pour la réparation"
    ),
    OrderValidated: _always("The order of parts is accepted", "La commande de pièces est validée"),
    OrderRefused: _always("The order of parts is refused", "La commande de pièces est refusée"),
    OrderMoved: _by(ORDERED, "after"),
    OrderCancelled: _always("The order of parts is cancelled", "La commande de pièces est annulée"),
    OrderShipped: _always(
        "The ordered parts are on their way to the technician",
        "Les pièces commandées sont en route vers le technicien",
    ),
    OrderReceived: _always(
        "The technician has received the ordered parts", "Le technicien a reçu les pièces commandées"
    ),
    OrderWithdrawn: _always(
        "The client withdrew from the purchase", "Le client a exercé son droit de rétractation"
    ),
    OrderReturned: _always("What was bought has come back", "Les articles achetés ont été retournés"),
    CommentAdded: _always("A comment was written", "Un commentaire a été écrit"),
    PhotoAdded: _always("A photo was added", "Une photo a été ajoutée"),
    InterventionPlanned: _always("A visit is planned", "Une visite est prévue"),
    InterventionMoved: _by(VISIT, "after"),
    InterventionOverdue: _always("The visit is late", "La visite a du retard"),
    InterventionStarted: _always("The technician has begun", "Le technicien a commencé"),
    WarrantyDecided: _by(PAYS, "decision"),
    CarbonMonoxideFound: lambda facts, names: _filled(
        AIR.get(str(facts.get("air"))), {"ppm": facts.get("ppm", "")}
    ),
    AttestationMade: _always(
        "The attestation of the service is there", "L’attestation d’entretien est disponible"
    ),
    InterventionClosed: _always("The report of the visit is there", "Le rapport de la visite est disponible"),
    ReportValidated: _always("The report of the visit was checked", "Le rapport de la visite a été vérifié"),
    EstimateSent: _always("An estimate waits for an answer", "Un devis attend une réponse"),
    EstimateAccepted: _always("The estimate is accepted", "Le devis est accepté"),
    EstimateRefused: _always("The estimate is refused", "Le devis est refusé"),
    EstimateExpired: _always("The estimate has expired", "Le devis a expiré"),
    EstimateWithdrawn: _always("The client withdrew from the estimate", "Le client s’est rétracté du devis"),
    InvoiceIssued: _always("An invoice was issued", "Une facture a été émise"),
    PaymentRecorded: _always("A payment has arrived", "Un paiement est arrivé"),
    PaymentFailed: _always("A payment online did not succeed", "Un paiement en ligne n’a pas abouti"),
    PaymentRefunded: _always("A payment is paid back", "Un paiement est remboursé"),
    CreditReceived: _always("Money is kept for an invoice", "Une somme est gardée pour une facture"),
    CreditRefunded: _always("A credit is paid back", "Un crédit est remboursé"),
    CreditNoteIssued: _always("A credit note was issued", "Un avoir a été émis"),
    InvoiceOverdue: _always("The invoice is overdue", "La facture est échue"),
    InvoiceReminded: _always("A reminder of the invoice was sent", "Un rappel de la facture a été envoyé"),
    InvoicePaid: _always("The invoice is paid", "La facture est payée"),
    AppointmentBooked: _always("The time of the visit is fixed", "L’heure de la visite est fixée"),
    AppointmentMoved: _always("The appointment is moved", "Le rendez-vous est déplacé"),
    AppointmentCancelled: _freed,
    AppointmentConfirmed: _always(
        "The client confirmed the appointment", "Le client a confirmé le rendez-vous"
    ),
    EarlierVisitOffered: _always("An earlier time is offered", "Un créneau plus tôt est proposé"),
    EarlierVisitTakenBack: _always(
        "The earlier time is no longer possible", "Le créneau plus tôt n’est plus possible"
    ),
    AppointmentMissedByTechnician: _always("The technician did not come", "Le technicien n’est pas venu"),
    FeedbackGiven: _always("Feedback was given about the visit", "Un avis a été donné sur la visite"),
}


def sentence(type_name: str, facts: Facts, names: Names) -> Text | None:
    """What an event means; None for one that only staff read."""
    event = message_types.EVENTS.get(type_name)
    says = SENTENCES.get(event) if event else None
    return says(facts, names) if says else None


async def in_words(
    page: str, actor: Actor, accepted: str | None, read: ReadModel, headers: dict[str, str]
) -> bytes:
    """A page of a timeline with a `text` for each line, in the language of Accept-Language or else of the account.

    A client reads that alone, without the facts.
    """
    told = from_json(page)
    spoken = accepted if accepted and names_a_language(accepted) else None
    french = prefers_french(spoken) if spoken else await _account_is_french(actor, read)
    headers |= {"Content-Language": "fr" if french else "en", "Vary": "Accept-Language"}
    theirs = {entry["facts"]["technician_id"] for entry in told["items"] if "technician_id" in entry["facts"]}
    names = await read.field_of(TechnicianView, "name", theirs)
    told["items"] = [_worded(entry, actor.role, french, names) for entry in told["items"]]
    return to_json(told)


def _worded(entry: dict[str, Any], role: Role, french: bool, names: Names) -> dict[str, Any]:
    text = sentence(entry["type"], entry["facts"], names)
    words = {"text": text.fr if french else text.en} if text else {}
    return entry | words | ({"facts": {}} if role is Role.CLIENT else {})


async def _account_is_french(actor: Actor, read: ReadModel) -> bool:
    locales = await read.field_of(AccountView, "locale", [str(actor.id)])
    return locales.get(str(actor.id)) == "fr"
