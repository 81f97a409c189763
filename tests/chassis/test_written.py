"""Times as people write them."""

from datetime import UTC, datetime

import pytest

from sav_chassis.written import window
from sav_contracts.auth.fields import Locale


@pytest.mark.parametrize(
    ("locale", "between", "said"),
    [
        ("fr", True, "mardi 24 novembre 2026, entre 23 h et le mercredi 25 novembre 2026 à 0 h 30"),
        ("fr", False, "mardi 24 novembre 2026, de 23 h au mercredi 25 novembre 2026 à 0 h 30"),
        ("en", True, "Tuesday 24 November 2026, between 23:00 and 0:30 on Wednesday 25 November 2026"),
        ("en", False, "Tuesday 24 November 2026, from 23:00 to 0:30 on Wednesday 25 November 2026"),
    ],
)
def test_a_time_that_ends_on_another_day_names_that_day(locale: Locale, between: bool, said: str) -> None:
    begins, ends = datetime(2026, 11, 24, 23, tzinfo=UTC), datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    assert window(begins, ends, locale, between).replace("\N{NO-BREAK SPACE}", " ") == said
