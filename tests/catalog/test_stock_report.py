"""The stock report: known answers for what is known, and the same figures as by hand, whatever moved when."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_movements import DAY, Moved, Stocked, stocked
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_catalog.settings import ZONES, Firm, firm
from sav_chassis.law.jurisdiction import jurisdiction
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock_report import GetStockReport

PARIS = ZoneInfo("Europe/Paris")
# In the evening here it is tomorrow already in Paris. Both clock changes of a winter are before it.
NOW = datetime(2031, 4, 4, 22, 30, tzinfo=UTC)
TODAY = date(2031, 4, 5)


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def asked(**parameters: Any) -> GetStockReport:
    return GetStockReport.model_validate(parameters)


async def report(stage: Stage, parameters: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    outcome = await stage.when(asked(**parameters or {}, **more), by=world.marie)
    assert outcome.problem is None, outcome.problem
    return outcome.reply


@pytest.fixture(autouse=True)
async def is_spring(stage: Stage) -> None:
    await stage.passes(NOW)


async def test_the_figures_of_one_article(stage: Stage) -> None:
    pump = Stocked(
        1,
        [
            Moved(at("2031-01-10T09:00"), "receive", 10),
            Moved(at("2031-04-01T23:59:59.999999"), "consume", -2),
            Moved(at("2031-04-02T00:00"), "reserve", -3),
            Moved(at("2031-04-02T10:00"), "receive", 5),
            Moved(at("2031-04-03T08:00"), "release", 1),
            Moved(at("2031-04-03T08:00:01"), "consume", -1),
            Moved(at("2031-04-03T09:00"), "return", 1),
            Moved(at("2031-04-04T23:30"), "adjust", -1),
        ],
        {"price": Decimal("12.35"), "minimum_stock": 12, "family": "part"},
    )
    await stocked(stage, pump)
    told = await report(stage, {"from": "2031-04-02", "to": "2031-04-05"})
    assert told == {
        "start": "2031-04-02",
        "end": "2031-04-05",
        "zone": "Europe/Paris",
        "totals": [
            {
                **{"currency": "EUR", "articles": 1, "on_hand": 12, "value": "148.20"},
                **{"below_minimum": 1, "slow": 0, "slow_value": "0.00"},
            }
        ],
        "items": [
            {
                **{"article_id": str(pump.id), "reference": "ART-0001", "name": "Article 1"},
                **{"family": "part", "status": "active"},
                **{"free": 10, "reserved": 2, "on_hand": 12, "minimum_stock": 12, "below_minimum": True},
                **{"price": "12.35", "currency": "EUR", "value": "148.20"},
                **{"opening": 8, "received": 5, "returned": 1, "consumed": 1, "adjusted": -1, "closing": 12},
                # At the ends of these days there were 13, 13, 12 and, today, 12.
                **{"average_on_hand": "12.50", "turnover": "0.08"},
                **{"last_outflow": "2031-04-03", "slow": False},
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_and_admins_read_it(stage: Stage, who: Actor) -> None:
    await stocked(stage, Stocked(1, [Moved(at("2031-01-10T09:00"), "receive", 10)]))
    outcome = await stage.when(asked(), by=who)
    assert outcome.problem
    assert outcome.problem.status == 403
    for reader in (world.marie, world.alex):
        assert (await stage.when(asked(), by=reader)).reply["totals"][0]["articles"] == 1


async def test_without_a_period_the_last_thirty_days_of_the_firm_are_meant(stage: Stage) -> None:
    told = await report(stage)
    assert (told["start"], told["end"]) == (str(TODAY - 29 * DAY), str(TODAY))


@pytest.mark.parametrize(
    ("start", "end"),
    [("2031-03-02", "2031-03-01"), ("2016-01-01", "2031-03-01"), ("1900-01-01", None)],
)
async def test_a_period_that_is_none_or_too_long_is_refused(
    stage: Stage, start: str, end: str | None
) -> None:
    problem = (await stage.when(asked(**{"from": start, "to": end}), by=world.marie)).problem
    assert problem
    assert (problem.status, [error.field for error in problem.errors or []]) == (422, ["to"])


async def test_a_period_to_come_has_no_average(stage: Stage) -> None:
    await stocked(stage, Stocked(1, [Moved(at("2031-01-10T09:00"), "receive", 10)]))
    [line] = (await report(stage, {"from": "2031-05-01"}))["items"]
    assert (line["opening"], line["closing"]) == (10, 10)
    assert (line["average_on_hand"], line["turnover"]) == (None, None)


async def test_what_was_never_there_at_the_end_of_a_day_has_no_turnover(stage: Stage) -> None:
    through = [Moved(at("2031-04-01T09:00"), "receive", 4), Moved(at("2031-04-01T10:00"), "consume", -4)]
    await stocked(stage, Stocked(1, through))
    [line] = (await report(stage))["items"]
    assert (line["consumed"], line["average_on_hand"], line["turnover"]) == (4, "0.00", None)


async def test_a_retired_article_is_in_it_while_some_is_left(stage: Stage) -> None:
    reserved = [Moved(at("2031-04-01T09:00"), "receive", 1), Moved(at("2031-04-01T10:00"), "reserve", -1)]
    used_up = [Moved(at("2031-04-01T09:00"), "receive", 1), Moved(at("2031-04-01T10:00"), "consume", -1)]
    retired = {"status": "retired"}
    await stocked(stage, Stocked(1, reserved, retired), Stocked(2, used_up, retired), Stocked(3))
    told = await report(stage, sort="reference")
    assert [line["reference"] for line in told["items"]] == ["ART-0001", "ART-0003"]
    assert told["totals"][0]["articles"] == 2


@pytest.mark.parametrize(
    ("days_ago", "slow"), [(179, False), (180, True)], ids=["a day too early", "long enough"]
)
@pytest.mark.parametrize("ever_consumed", [True, False])
async def test_what_nobody_used_for_so_many_days_is_slow(
    stage: Stage, days_ago: int, slow: bool, ever_consumed: bool
) -> None:
    then = datetime.combine(TODAY - days_ago * DAY, datetime.min.time(), PARIS)
    moved = [Moved(then, "consume", -1)] if ever_consumed else []
    first = Moved(then - 300 * DAY if ever_consumed else then, "receive", 3)
    idle = Stocked(1, [first, *moved], {"price": Decimal("2.50")})
    busy = Stocked(2, [first, Moved(at("2031-04-01T10:00"), "consume", -1)])
    gone = Stocked(3, [first, Moved(then, "consume", -3)])
    await stocked(stage, idle, busy, gone)
    told = await report(stage, sort="reference")
    assert [line["slow"] for line in told["items"]] == [slow, False, False]
    worth = (3 - len(moved)) * Decimal("2.50") if slow else Decimal("0.00")
    assert (told["totals"][0]["slow"], told["totals"][0]["slow_value"]) == (int(slow), f"{worth:.2f}")
    for wanted in (True, False):
        found = await report(stage, slow=wanted)
        assert {line["slow"] for line in found["items"]} <= {wanted}
        assert found["totals"][0]["articles"] if found["totals"] else len(found["items"]) == 0
    assert [
        line["slow"] for line in (await report(stage, sort="reference", slow_after_days=200))["items"]
    ] == [False] * 3


async def test_it_chooses_by_family_and_minimum(stage: Stage) -> None:
    came = [Moved(at("2031-04-01T09:00"), "receive", 5)]
    await stocked(
        stage,
        Stocked(1, came, {"family": "part", "minimum_stock": 6}),
        Stocked(2, came, {"family": "part", "minimum_stock": 5}),
        Stocked(3, came, {"family": "sanitary", "minimum_stock": 6}),
    )

    async def chosen(**filters: Any) -> tuple[list[str], int]:
        told = await report(stage, sort="reference", **filters)
        return [line["reference"] for line in told["items"]], sum(one["articles"] for one in told["totals"])

    assert await chosen(family="part") == (["ART-0001", "ART-0002"], 2)
    assert await chosen(below_minimum=True) == (["ART-0001", "ART-0003"], 2)
    assert await chosen(below_minimum=False) == (["ART-0002"], 1)
    assert await chosen(family="part", below_minimum=True) == (["ART-0001"], 1)
    assert await chosen(family="heating") == ([], 0)


async def test_sums_are_by_currency_and_exact(stage: Stage) -> None:
    many = [Moved(at("2031-01-01T09:00"), "receive", 1_000_000)]
    dear = {"price": Decimal("9999999999.99")}
    await stocked(
        stage,
        Stocked(1, many, dear),
        Stocked(2, many, dear),
        Stocked(
            3, [Moved(at("2031-01-01T09:00"), "receive", 3)], {"price": Decimal("0.10"), "currency": "TND"}
        ),
    )
    totals = (await report(stage))["totals"]
    assert [(one["currency"], one["value"]) for one in totals] == [
        ("EUR", "19999999999980000.00"),
        ("TND", "0.30"),
    ]


@pytest.mark.parametrize("after", ["", "x", "bnVsbA", "W10", "WyItdmFsdWUiLCJ4IiwieSJd", "é", "\0"])
async def test_what_is_no_next_is_refused(stage: Stage, after: str) -> None:
    problem = (await stage.when(asked(after=after), by=world.marie)).problem
    assert problem
    assert (problem.status, [error.field for error in problem.errors or []]) == (422, ["after"])


async def test_the_next_of_another_order_is_refused(stage: Stage) -> None:
    await stocked(stage, Stocked(1), Stocked(2))
    told = await report(stage, sort="-value", limit=1)
    problem = (await stage.when(asked(sort="value", after=told["next"]), by=world.marie)).problem
    assert problem
    assert [error.field for error in problem.errors or []] == ["after"]


def test_the_zone_of_each_country_is_that_of_its_invoices() -> None:
    assert {code: jurisdiction(code).zone for code in ZONES} == ZONES


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SAV_JURISDICTION", "TN")
    firm.cache_clear()
    yield
    firm.cache_clear()


@pytest.mark.usefixtures("elsewhere")
async def test_days_are_those_of_the_firm(stage: Stage) -> None:
    assert Firm().zone.key == "Africa/Tunis"
    late = datetime(2031, 4, 1, 22, 30, tzinfo=UTC)
    await stocked(stage, Stocked(1, [Moved(late, "receive", 1)]))
    told = await report(stage, {"from": "2031-04-01", "to": "2031-04-01"})
    # It was still the first of April in Tunis, and the second in Paris.
    assert (told["zone"], told["items"][0]["received"]) == ("Africa/Tunis", 1)


MIDNIGHTS = [
    at(f"{day}T00:00") for day in ("2030-10-27", "2030-10-28", "2031-03-30", "2031-03-31", "2031-04-05")
]
CHANGES = [datetime(2030, 10, 27, 1, tzinfo=UTC), datetime(2031, 3, 30, 1, tzinfo=UTC)]
MOMENTS = st.one_of(
    st.datetimes(datetime(2030, 8, 1), datetime(2031, 4, 4, 22), timezones=st.just(UTC)),
    st.builds(
        lambda moment, shift: moment + shift,
        st.sampled_from([*MIDNIGHTS, *CHANGES]),
        st.sampled_from([timedelta(0), -timedelta(microseconds=1), -timedelta(hours=1), -timedelta(days=1)]),
    ),
)
KINDS = st.sampled_from(
    ["receive", "receive", "return", "consume", "consume", "adjust", "reserve", "release"]
)


def possible(wanted: Sequence[tuple[datetime, Any, int]]) -> list[Moved]:
    """Those of the wanted movements that stock allows, one after the other."""
    free = reserved = 0
    done: list[Moved] = []
    for moment, kind, pieces in sorted(wanted, key=lambda one: one[0]):
        quantity = -pieces if kind in ("consume", "reserve") else pieces
        if kind == "adjust" and pieces % 2:
            quantity = -pieces
        if (kind == "release" and pieces > reserved) or free + quantity < 0:
            continue
        free += quantity
        reserved -= quantity if kind in ("reserve", "release") else 0
        done.append(Moved(moment, kind, quantity))
    return done


ARTICLES = st.builds(
    lambda moved, price, currency, family, minimum, status: (
        moved,
        {
            **{"price": price, "currency": currency, "family": family},
            **{"minimum_stock": minimum, "status": status},
        },
    ),
    st.lists(st.tuples(MOMENTS, KINDS, st.integers(1, 9)), max_size=14).map(possible),
    st.decimals("0.00", "500.00", places=2),
    st.sampled_from(["EUR", "EUR", "TND"]),
    st.sampled_from(["sanitary", "heating", "part"]),
    st.integers(0, 6),
    st.sampled_from(["active", "active", "end_of_life", "retired"]),
)
DAYS = st.dates(date(2030, 8, 1), date(2031, 5, 1)) | st.sampled_from(
    [date(2030, 10, 27), date(2031, 3, 30), TODAY, TODAY - DAY]
)
LOWEST = {"turnover": Decimal(-1), "last_outflow": date.min}
READ: dict[str, Callable[[str], Any]] = {
    "value": Decimal,
    "turnover": Decimal,
    "last_outflow": date.fromisoformat,
}


def sorted_lines(lines: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    name = sort.removeprefix("-")

    def key(line: dict[str, Any]) -> Any:
        value = line[name]
        known = LOWEST[name] if value is None else READ[name](value) if name in READ else value
        return known, UUID(line["article_id"])

    return sorted(lines, key=key, reverse=sort.startswith("-"))


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_it_says_what_counting_day_by_day_says(stage: Stage) -> None:
    @given(
        made=st.lists(ARTICLES, min_size=1, max_size=6),
        days=st.tuples(DAYS, DAYS).map(sorted),
        slow_after=st.integers(1, 200),
        sort=st.sampled_from(["reference", "value", "on_hand", "consumed", "turnover", "last_outflow"]),
        sign=st.sampled_from(["", "-"]),
        limit=st.integers(1, 4),
    )
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    async def compare(
        made: list[Any], days: list[date], slow_after: int, sort: str, sign: str, limit: int
    ) -> None:
        await stage.clear()
        await stage.passes(NOW)
        articles = [Stocked(number, moved, fields) for number, (moved, fields) in enumerate(made)]
        await stocked(stage, *articles)
        lines = [one.line(days[0], days[1], TODAY, PARIS, slow_after) for one in articles]
        lines = [line for line in lines if line["status"] != "retired" or line["on_hand"]]
        for line in lines:
            moved = line["received"] + line["returned"] - line["consumed"] + line["adjusted"]
            assert line["opening"] + moved == line["closing"]

        wanted = {"from": days[0], "to": days[1], "slow_after_days": slow_after, "sort": sign + sort}
        found: list[dict[str, Any]] = []
        after = None
        while True:
            told = await report(stage, wanted, limit=limit, after=after)
            assert len(told["items"]) <= limit
            found += told["items"]
            assert told["totals"] == totals(lines)
            if (after := told["next"]) is None:
                break
        assert found == sorted_lines(lines, sign + sort)

    await run(compare)


def totals(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "currency": currency,
            "articles": len(of),
            "on_hand": sum(line["on_hand"] for line in of),
            "value": str(sum(Decimal(line["value"]) for line in of)),
            "below_minimum": sum(line["below_minimum"] for line in of),
            "slow": sum(line["slow"] for line in of),
            "slow_value": str(sum((Decimal(line["value"]) for line in of if line["slow"]), Decimal("0.00"))),
        }
        for currency in ("EUR", "TND")
        if (of := [line for line in lines if line["currency"] == currency])
    ]
