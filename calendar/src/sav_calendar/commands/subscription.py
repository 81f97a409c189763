"""The secret addresses from which telephones read their people's visits."""

from hashlib import blake2b

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from sav_calendar.app import calendar
from sav_calendar.feeds import KEPT_FOR, NAME, forget_texts, write_all
from sav_calendar.model.subscription import CalendarSubscription, FeedText
from sav_chassis.calendar_files import calendar_text
from sav_chassis.entity_tags import holds
from sav_chassis.errors import SavError
from sav_chassis.identity import Links
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.account import RoleAssigned, UserDeactivated
from sav_contracts.calendar.subscription import (
    CalendarAddress,
    CalendarFile,
    GetCalendarFeed,
    RotateCalendarAddress,
)

PURPOSE = "calendar"
FILE = "sav.ics"
# Which texts there are, and of which version: what a feed consists of.
CONTENT = text(
    """SELECT coalesce(string_agg(appointment_id || ' ' || version, ',' ORDER BY appointment_id), '')
    FROM feed_text WHERE person_id = :person AND ends > :since"""
)


class CalendarAddressOver(SavError):
    """The address was never ours, or another one took its place."""

    code = "link_expired"
    status = 410
    en = "This calendar has another address now; subscribe again to the new one"
    fr = "Ce calendrier a changé d’adresse ; abonnez-vous de nouveau à la nouvelle"


@calendar.command(RotateCalendarAddress)
async def rotate_calendar_address(cmd: RotateCalendarAddress, tx: Tx, by: Actor) -> CalendarAddress:
    """Make an address for the caller; the one before ends at once."""
    grant = tx.new_id()
    made = insert(CalendarSubscription).values(person_id=by.id, grant_id=grant, language=cmd.language)
    new = {"grant_id": grant, "language": cmd.language}
    await tx.session.execute(made.on_conflict_do_update(index_elements=["person_id"], set_=new))
    await write_all(tx, CalendarSubscription(person_id=by.id, grant_id=grant, language=cmd.language))
    token = Links(tx.settings.link_secret).token(PURPOSE, grant)
    return CalendarAddress(url=f"{tx.settings.edge_site}/api/me/calendar.ics?token={token}")


@calendar.query(GetCalendarFeed)
async def get_calendar_feed(query: GetCalendarFeed, tx: Tx, by: Actor) -> CalendarFile:
    """The kept texts of a person, as one file; without its text where the caller holds the same."""
    grant = Links(tx.settings.link_secret).grant(PURPOSE, query.token.get_secret_value())
    found = await tx.session.scalar(
        select(CalendarSubscription).where(CalendarSubscription.grant_id.in_([grant]))
    )
    if found is None:
        raise CalendarAddressOver
    since = tx.now - KEPT_FOR
    content = await tx.session.scalar(CONTENT, {"person": found.person_id, "since": since})
    tag = f'"{blake2b(f"{grant} {content}".encode(), digest_size=16).hexdigest()}"'
    if holds(query.known, tag):
        return CalendarFile(name=FILE, tag=tag, text=None)
    texts = await tx.session.execute(
        select(FeedText.text, FeedText.zone)
        .where(FeedText.person_id == found.person_id, FeedText.ends > since)
        .order_by(FeedText.ends, FeedText.appointment_id)
    )
    rows = texts.all()
    name = getattr(NAME, found.language)
    return CalendarFile(
        name=FILE, tag=tag, text=calendar_text([row.text for row in rows], {row.zone for row in rows}, name)
    )


@calendar.on(UserDeactivated, since="2026-11-30")
@calendar.on(RoleAssigned, since="2026-11-30")
async def end_calendar_address(event: UserDeactivated | RoleAssigned, tx: Tx) -> str | None:
    """Ends the address of somebody who may not sign in any more, or who sees other visits from now on."""
    found = await tx.session.get(CalendarSubscription, event.state.id)
    if found is None:
        return "they have no address"
    await tx.session.delete(found)
    await forget_texts(tx, found.person_id)
    return None
