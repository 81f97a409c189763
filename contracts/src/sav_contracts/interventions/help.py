"""Technicians who ask for help on a visit."""

from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Command, Event, Reason

EXAMPLE = "La vanne gaz ne ferme plus, faut-il couper l'immeuble ?"


class AskForHelp(Command[InterventionView]):
    """Ask managers for help on a visit. They are told at once. Asking again replaces what was asked."""

    intervention_id: UUID
    text: Reason = Field(examples=[EXAMPLE])


class HelpRequested(Event[InterventionView]):
    """The technician of a visit asks managers for help."""

    text: str = Field(examples=[EXAMPLE])
