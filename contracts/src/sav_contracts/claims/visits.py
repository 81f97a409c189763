"""What réclamations say about visits."""

from uuid import UUID

from sav_contracts.claims.reclamation import ReclamationStatus, ReclamationView
from sav_contracts.messages import Event, PersonId
from sav_contracts.sentences import Text

# Why a réclamation in these states gets no visit. The others: qualified, assigned, in progress, awaiting parts.
NOT_PLANNABLE: dict[ReclamationStatus, Text] = {
    "submitted": Text("it is not qualified yet", "elle n’est pas encore qualifiée"),
    "awaiting_client": Text("it waits for an answer of its client", "elle attend une réponse de son client"),
    "resolved": Text("it is resolved; reopen it first", "elle est résolue ; rouvrez-la d’abord"),
    "closed": Text("it is closed; reopen it first", "elle est clôturée ; rouvrez-la d’abord"),
    "reopened": Text(
        "it is reopened and not qualified again yet", "elle est rouverte et n’a pas encore été requalifiée"
    ),
    "cancelled": Text("it is cancelled", "elle est annulée"),
    "rejected": Text("it was rejected", "elle a été rejetée"),
    "merged": Text(
        "it was merged into another one; choose a time for that one",
        "elle a été fusionnée avec une autre ; choisissez un créneau pour celle-ci",
    ),
}


class PlannedVisitRefused(Event[ReclamationView]):
    """A visit was planned by hand, but the réclamation takes none now, or has another technician since."""

    intervention_id: UUID
    technician_id: PersonId
