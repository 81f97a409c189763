"""Visits that people plan by hand."""

from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.interventions.visit import InterventionView, Purpose
from sav_contracts.messages import Command, Event, Line, PersonId
from sav_contracts.slot import Slot, WantedSlot
from sav_contracts.wrong_value import WrongValue

# What is done without a fault. A fault has a réclamation: guarantees and legal days count from there.
WITHOUT_FAULT: tuple[Purpose, ...] = ("maintenance", "install")

SAID_BY_RECLAMATION = ("client_id", "product_id", "article", "place")


class ReclamationSays(WrongValue):
    code = "reclamation_says"
    en = "client_id, product_id, article, place: the claim says these; leave them out"
    fr = "client_id, product_id, article, place : la réclamation les indique déjà ; ne les donnez pas"


class VisitForWhom(WrongValue):
    code = "visit_for_whom"
    en = "a claim (reclamation_id), or a client (client_id) with a purpose"
    fr = "une réclamation (reclamation_id), ou un client (client_id) avec un motif (purpose)"


class FaultNotReported(WrongValue):
    code = "fault_not_reported"
    field = "purpose"
    en = "purpose: a repair or a diagnosis is for a reported fault: open a claim first"
    fr = "purpose : une réparation ou un diagnostic répond à une panne signalée : ouvrez d’abord une réclamation"


class AboutWhat(WrongValue):
    code = "about_what"
    field = "product_id"
    en = "product_id or article: say what the visit is about, by one of them"
    fr = "product_id ou article : indiquez sur quoi porte l’intervention, par l’un des deux"


class PlaceOfProduct(WrongValue):
    code = "place_of_product"
    field = "place"
    en = "place, product_id: a registered product has its place, which is changed there"
    fr = "place, product_id : un produit enregistré a déjà son adresse, qui se modifie sur sa fiche"


class CreateIntervention(Command[InterventionView]):
    """Plan a visit by hand.

    For a réclamation (`reclamation_id`): a manager plans any; where it had no technician, it gets this one. A technician
    plans a further visit of theirs for a réclamation that is assigned to them. A réclamation has one open visit at a time.

    Without a réclamation, for maintenance or an installation, by managers only: for a client, with the `purpose`, and
    either the client's registered product or an `article` in words with its `place` (without one, the only address of the
    client's profile is taken).

    Without `technician_id`, the technician of the réclamation comes. The visit is booked at `slot`, within a year, where
    the technician is free. A slot that does not fit becomes a conflict. So does one outside their working hours, unless
    `outside_hours` allows it. Without a slot the time is chosen later (`POST /appointments/hold`).
    """

    reclamation_id: UUID | None = None
    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: Line | None = Field(default=None, examples=[None])
    place: PlaceGiven | None = Field(default=None, examples=[None])
    # For a réclamation: by default a repair.
    purpose: Purpose | None = Field(default=None, examples=["maintenance"])
    technician_id: PersonId | None = None
    slot: WantedSlot | None = None
    outside_hours: bool = False

    @model_validator(mode="after")
    def _says_for_whom_and_what(self) -> "CreateIntervention":
        if self.reclamation_id:
            if any(getattr(self, name) for name in SAID_BY_RECLAMATION):
                given = (name for name in SAID_BY_RECLAMATION if getattr(self, name))
                raise ReclamationSays().error(next(given))
            return self
        if self.client_id is None or self.purpose is None:
            missing = "purpose" if self.client_id else "client_id" if self.purpose else "reclamation_id"
            raise VisitForWhom().error(missing)
        if self.purpose not in WITHOUT_FAULT:
            raise FaultNotReported().error()
        if (self.product_id is None) == (self.article is None):
            raise AboutWhat().error()
        if self.product_id and self.place:
            raise PlaceOfProduct().error()
        return self


class PlannedVisitOver(Event[InterventionView]):
    """The réclamation was assigned because of this visit by hand, which had been declined or cancelled before."""


class InterventionUnscheduled(Event[InterventionView]):
    """The visit lost its time in the calendar, and waits for another one."""

    before: Slot
