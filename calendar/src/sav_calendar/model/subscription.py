"""Subscriptions of people's telephones to their visits, and the texts that these read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base
from sav_contracts.auth.fields import Locale


class CalendarSubscription(Base):
    """That a person has a secret address, and in which language they read. No event tells of it: it has a key in it."""

    __tablename__ = "calendar_subscription"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    # Signed into the address; with another one the old address ends.
    grant_id: Mapped[UUID] = mapped_column(unique=True)
    language: Mapped[Locale]


class FeedText(Base):
    """An appointment as its person's calendar reads it (a VEVENT), made when it changes and not when it is read."""

    __tablename__ = "feed_text"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    # The version of the appointment that it was made from.
    version: Mapped[int]
    ends: Mapped[datetime]
    zone: Mapped[str]
    text: Mapped[str]
