"""What a mail says of moving and cancelling is what the page of its link says at that moment."""

from pathlib import Path

import pytest
from given_notifier import account, appointment, booked, client_profile, conflict
from kept_mails import mails, plain
from notifier_cases import CASES
from notifier_cases_cut_off import NEAR, reminder
from notifier_cases_moving import offered
from world import lea

from sav_chassis.testing import Stage
from sav_contracts.auth.fields import Locale
from sav_contracts.messages import Event

ONLINE = {"fr": "en ligne", "en": "online"}


def case(name: str) -> Event:
    return next(case.event for case in CASES if case.name == name)


async def reads(stage: Stage, mailbox: Path, event: Event, locale: Locale = "fr") -> str:
    """The mail to Léa, whose address is confirmed."""
    await stage.knows(
        account(lea, "Léa Bernard", version=2, email_verified=True),
        client_profile(lea, "Léa Bernard", version=2, email="lea@example.com", locale=locale),
    )
    await stage.hears(event)
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    return plain(mail).replace("\N{NO-BREAK SPACE}", " ").replace("\r", "")


@pytest.mark.parametrize(
    ("name", "locale", "promises"),
    [
        ("booked as planned", "fr", "Pour confirmer votre présence, déplacer ou annuler ce rendez-vous :"),
        (
            "booked as planned",
            "en",
            "To confirm that you will be there, or to move or cancel this appointment:",
        ),
        ("tomorrow", "fr", "Pour confirmer votre présence, ou en cas d’empêchement :"),
        ("tomorrow, confirmed", "en", "You said that you will be there. If you cannot be after all:"),
    ],
)
async def test_before_the_cut_off_the_link_does_all(
    stage: Stage, mailbox: Path, name: str, locale: Locale, promises: str
) -> None:
    text = await reads(stage, mailbox, case(name), locale)
    assert promises in text
    assert (ONLINE[locale] in text, "/visit?" in text) == (False, True)


@pytest.mark.parametrize(
    ("name", "locale", "says", "has_link"),
    [
        ("booked for tonight", "fr", "Il ne peut plus être déplacé ni annulé en ligne", True),
        ("booked for tonight", "en", "It can no longer be moved or cancelled online", True),
        ("tonight", "fr", "en cas d’empêchement, appelez-nous", True),
        ("tonight", "en", "if you cannot be there, please call us", True),
        ("tonight, confirmed", "fr", "en cas d’empêchement, appelez-nous", False),
    ],
)
async def test_within_the_cut_off_it_promises_no_more_than_confirming(
    stage: Stage, mailbox: Path, name: str, locale: Locale, says: str, has_link: bool
) -> None:
    text = await reads(stage, mailbox, case(name), locale)
    assert says in text
    assert ("/visit?" in text) is has_link
    assert "déplacer ou annuler" not in text
    assert "to move or cancel" not in text


async def test_it_is_what_holds_when_the_mail_is_sent(stage: Stage, mailbox: Path) -> None:
    """Its technician is on the way by then."""
    on_the_way = next(case.event.state for case in CASES if case.name == "on the way")
    await stage.knows(on_the_way)
    assert "ne peut plus être déplacé" in await reads(stage, mailbox, booked())


async def test_an_earlier_time_that_could_not_be_changed_says_so(stage: Stage, mailbox: Path) -> None:
    await stage.knows(appointment(status="booked"))
    text = await reads(stage, mailbox, case("an earlier time, tonight"))
    assert "/visit?" in text
    assert "Une fois choisi, il ne pourra plus être déplacé ni annulé en ligne." in text


async def test_an_earlier_time_is_not_offered_by_a_link_that_refuses_it(stage: Stage, mailbox: Path) -> None:
    await stage.knows(appointment(status="booked", version=2, **NEAR))
    text = await reads(stage, mailbox, offered())
    assert "appelez-nous s’il vous convient" in text
    assert ("/visit?" in text, "réservez-le" in text) == (False, False)


async def test_what_became_unsettled_meanwhile_is_not_sent(stage: Stage, mailbox: Path) -> None:
    event = reminder()
    await stage.hears(event)
    await stage.knows(conflict(problem="absence", status="open", appointment_id=event.state.id))
    await stage.runs_effects()
    assert [mail for mail in mails(mailbox) if "lea@" in mail["To"] or "karim@" in mail["To"]] == []
    [listed] = [mail for mail in mails(mailbox) if "marie@" in mail["To"]]
    assert "en suspens" in plain(listed)
