"""Every event and view there is, by its wire name."""

from typing import TypeVar

from sav_contracts import calendar, claims, notifier, reporting
from sav_contracts.auth import account, policy, session
from sav_contracts.catalog import article, product
from sav_contracts.interventions import invoice, report, visit
from sav_contracts.messages import Event, Message, View

M = TypeVar("M", bound=Message)

MODULES = (
    account, session, policy, article, product, claims, visit, report, invoice, calendar, notifier, reporting,
)  # fmt: skip


def _declared(base: type[M]) -> list[type[M]]:
    return [
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]


EVENTS: dict[str, type[Event]] = {event.type_name(): event for event in _declared(Event)}
VIEWS: dict[str, type[View]] = {
    view.kind(): view for view in {event.state_type() for event in EVENTS.values()}
}


def changed(view: type[View]) -> type[Event]:
    """The event that says nothing but how a record is now (`ReclamationChanged`): no line in a timeline, no facts."""
    [event] = (
        event
        for event in EVENTS.values()
        if event.state_type() is view and event.__name__.endswith("Changed") and not event.tells
    )
    return event
