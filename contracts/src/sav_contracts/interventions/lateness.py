"""What is told of late visits."""

from typing import ClassVar

from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Event


class InterventionOverdue(Event[InterventionView]):
    """The slot of a visit ended before the work began. Told once for each slot."""

    client_sees: ClassVar[bool] = True
