"""All events and views, by wire name."""

from typing import TypeVar

from sav_contracts import notifier, reporting
from sav_contracts.auth import account, policy, session
from sav_contracts.calendar import (
    absence,
    appointment,
    candidates,
    conflict,
    hours,
    offer,
    plan,
    slots,
    subscription,
    visit_link,
    waiting,
)
from sav_contracts.catalog import (
    article,
    article_cost,
    article_import,
    product,
    reservation,
    stock,
    stock_report,
    stocktake,
)
from sav_contracts.claims import (
    client,
    comment,
    order,
    parts_list,
    photo,
    reclamation,
    saved_filter,
    sla,
    visits,
)
from sav_contracts.interventions import (
    act,
    attestation,
    client_credit,
    closing,
    credit_note,
    dunning,
    estimate,
    help,
    invoice,
    lateness,
    margin,
    new_visit,
    payment,
    report,
    technician,
    visit,
    visit_photo,
)
from sav_contracts.messages import Event, Message, View, changed

M = TypeVar("M", bound=Message)

MODULES = (
    account, session, policy, article, article_import, stock, stock_report, stocktake, product, client, reclamation, photo,
    comment, saved_filter, sla, parts_list, order, reservation, visits, technician, visit, new_visit, report, invoice,
    absence, appointment, candidates, conflict, hours, slots, offer, plan, subscription, visit_link, waiting, notifier, reporting, attestation, visit_photo, act, lateness, help, payment, client_credit, closing, estimate,
    credit_note, dunning, article_cost, margin,
)  # fmt: skip


def _declared(base: type[M]) -> list[type[M]]:
    return [
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        # Pydantic adds its `Event[ReclamationView]` to the module too.
        and not value.__pydantic_generic_metadata__["origin"]
    ]


_NAMED_EVENTS = _declared(Event)

VIEWS: dict[str, type[View]] = {event.state_type().kind(): event.state_type() for event in _NAMED_EVENTS}
EVENTS: dict[str, type[Event]] = {
    event.type_name(): event for event in (*_NAMED_EVENTS, *(changed(view) for view in VIEWS.values()))
}
