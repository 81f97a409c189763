"""People's visits for the calendars of their telephones: each text is made when its appointment changes, and kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Self, TypeVar
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from sav_calendar.model.appointment import Appointment
from sav_calendar.model.subscription import CalendarSubscription, FeedText
from sav_chassis.calendar_files import Entry, event_text
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_chassis.written import elided
from sav_contracts.auth.fields import Locale
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_contracts.sentences import Text

V = TypeVar("V", bound=View)

# How long a visit stands in a feed after it ended.
KEPT_FOR = timedelta(days=731)
# What nobody's calendar has: times that were only held.
NEVER_BOOKED = ("held", "expired")
KEY = ("person_id", "appointment_id")

NAME = Text("After-sales visits", "Visites SAV")
VISIT_OF = Text("Visit of {name}", "Visite {name}")
VISIT = Text("Visit of the technician", "Visite du technicien")
ARRIVES = Text("The technician arrives within this time.", "Le technicien arrive pendant ce créneau.")
TOOK_PLACE = Text("The visit took place.", "La visite a eu lieu.")
NOBODY_OPENED = Text(
    "The technician came and could not get in.", "Le technicien est venu et n’a pas pu entrer."
)
NOT_AT_THIS_TIME = Text(
    "The visit does not take place at this time any more.", "La visite n’a plus lieu à cet horaire."
)
NOBODY_CAME = Text("The technician did not come.", "Le technicien n’est pas venu.")


class Known(NamedTuple):
    """What appointments are about, by id; what has not arrived here is missing."""

    visits: Mapping[UUID, InterventionView]
    cases: Mapping[UUID, ReclamationView]
    technicians: Mapping[UUID, TechnicianView]

    @classmethod
    async def of(cls, tx: Tx, appointments: Collection[AppointmentView]) -> Self:
        """Of all these at once."""

        async def copies(view: type[V], ids: Iterable[UUID | None]) -> dict[UUID, V]:
            wanted = sorted({id for id in ids if id})
            found = await tx.copies(view).where(id=wanted).all() if wanted else []
            return {each.id: each for each in found}

        return cls(
            await copies(InterventionView, (each.intervention_id for each in appointments)),
            await copies(ReclamationView, (each.reclamation_id for each in appointments)),
            await copies(TechnicianView, (each.technician_id for each in appointments)),
        )


@settles(Appointment)
async def keep_texts(appointment: Appointment, tx: Tx) -> None:
    """Writes the texts of an appointment anew for those of its two people who have a secret address."""
    if appointment.status in NEVER_BOOKED:
        return
    view = appointment.view()
    people = [view.client_id, view.technician_id]
    # Of a technician whose visit it was, it is gone.
    await tx.session.execute(
        delete(FeedText).where(FeedText.appointment_id == view.id, FeedText.person_id.not_in(people))
    )
    theirs = CalendarSubscription.person_id.in_(people)
    for subscription in await tx.session.scalars(select(CalendarSubscription).where(theirs)):
        kept = await tx.session.get(FeedText, (subscription.person_id, view.id))
        # Somebody who never saw it has nothing to take out of their calendar.
        if kept or not _is_off(view, for_client=view.client_id == subscription.person_id):
            await _write(tx, [appointment], subscription)


async def write_all(tx: Tx, subscription: CalendarSubscription) -> None:
    """Makes all texts of a person who gets an address, in their language; what is cancelled by then is left out."""
    person = subscription.person_id
    await forget_texts(tx, person)
    found = await tx.session.scalars(
        select(Appointment)
        .where(or_(Appointment.client_id == person, Appointment.technician_id == person))
        .where(Appointment.status.not_in(NEVER_BOOKED), Appointment.end > tx.now - KEPT_FOR)
    )
    standing = [each for each in found if not _is_off(each.view(), for_client=each.client_id == person)]
    await _write(tx, standing, subscription)


async def forget_texts(tx: Tx, person_id: UUID) -> None:
    """Removes what a person's calendar read."""
    await tx.session.execute(delete(FeedText).where(FeedText.person_id == person_id))


def _is_off(view: AppointmentView, for_client: bool) -> bool:
    """Whether it did or does not take place, as this person sees it: a client's may still be booked for them."""
    return (view.for_client() if for_client else view).status in ("cancelled", "no_show")


async def _write(tx: Tx, appointments: Sequence[Appointment], subscription: CalendarSubscription) -> None:
    """Adds the texts of these for a person, or writes over those that are there."""
    if not appointments:
        return
    known = await Known.of(tx, [each.view() for each in appointments])
    rows = [_row(each, subscription, known) for each in appointments]
    writing = insert(FeedText)
    new = {name: writing.excluded[name] for name in rows[0].keys() - set(KEY)}
    await tx.session.execute(writing.on_conflict_do_update(index_elements=KEY, set_=new), rows)


def _row(appointment: Appointment, subscription: CalendarSubscription, known: Known) -> dict[str, Any]:
    for_client = appointment.client_id == subscription.person_id
    entry = _entry(appointment, for_client, subscription.language, known)
    return {
        "person_id": subscription.person_id,
        "appointment_id": appointment.id,
        "version": appointment.version,
        "ends": entry.end,
        "zone": entry.zone,
        "text": event_text(entry),
    }


def _entry(appointment: Appointment, for_client: bool, language: Locale, known: Known) -> Entry:
    """A client reads when the technician arrives, a technician when they work; neither reads names of clients.

    Of what was done before its time both read when that was.
    """
    view, earlier = appointment.view(), appointment.done_earlier
    visit = known.visits.get(view.intervention_id) if view.intervention_id else None
    case = known.cases.get(view.reclamation_id) if view.reclamation_id else None
    article = (case.article if case else None) or (visit.article if visit else None)
    place = (visit.place if visit else None) or (case.place if case else None)
    called = view.reclamation_reference or (visit.called if visit else "")
    who = _whose_visit(known.technicians.get(view.technician_id), language) if for_client else called
    planned = (view.arrival_from, view.arrival_until) if for_client else view.interval()
    start, end = earlier or planned
    return Entry(
        uid=view.uid,
        sequence=view.sequence + bool(earlier),
        start=start,
        end=end,
        zone=view.zone,
        summary=" – ".join(filter(None, (who, article))),
        description="\n".join(filter(None, (called, _what_of_it(view, for_client, language)))),
        location=place.on_one_line if place else "",
        cancelled=_is_off(view, for_client),
        changed_at=view.updated_at,
    )


def _what_of_it(view: AppointmentView, for_client: bool, language: Locale) -> str:
    """What is to be expected of it, or what came of it; nothing where that is plain."""
    if view.status == "done":
        said = TOOK_PLACE
    elif view.status == "no_show":
        said = NOBODY_CAME if view.missed_by == "technician" else NOBODY_OPENED
    elif _is_off(view, for_client):
        said = NOT_AT_THIS_TIME
    elif for_client:
        said = ARRIVES
    else:
        return ""
    return str(getattr(said, language))


def _whose_visit(technician: TechnicianView | None, language: Locale) -> str:
    if technician is None:
        return str(getattr(VISIT, language))
    name = elided(technician.name, "de") if language == "fr" else technician.name
    return str(getattr(VISIT_OF, language).format(name=name))
