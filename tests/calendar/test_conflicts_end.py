"""Every conflict can end, whatever happened before: its visit ends, its cause does, or somebody decides."""

from typing import Any

import world
from given_calendar import (
    VISIT_ID,
    appointment,
    at,
    hours,
    is_away,
    is_back,
    karim_is,
    moved,
    reclamation,
    slot,
    technician,
    visit,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run
from pydantic import SecretStr

from sav_chassis.identity import Links
from sav_chassis.testing import Stage
from sav_contracts.actor import ANYONE
from sav_contracts.calendar.conflict import ResolveConflict
from sav_contracts.calendar.offer import ChooseTime, OfferTimes, TimesOffered
from sav_contracts.interventions.visit import InterventionView

MORNING = (at(1, 7), at(1, 12))
HAPPENS = ("away", "back", "other hours", "left", "returns", "sets out", "offer", "choose", "decide")
ENDS = ("decided", "visit ends", "work is done")

steps = st.lists(st.sampled_from(HAPPENS), min_size=1, max_size=7)


class World:
    """Karim's visit at Léa's, of which things become known, each with its version."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.visit: InterventionView = visit("accepted", slot=slot(1, 8))
        self.version = 2
        self.token: SecretStr | None = None
        self.hour = 13

    async def begins(self) -> None:
        await self.stage.clear()
        await self.stage.given(
            hours(world.karim), hours(world.sofia), appointment(at(1, 8), intervention_id=VISIT_ID)
        )
        await self.stage.knows(
            technician(world.karim, name="Karim"),
            technician(world.sofia, name="Sofia"),
            reclamation(),
            self.visit,
        )

    async def open_conflicts(self) -> list[Any]:
        rows = await self.stage.database.pool.fetch(
            "SELECT id, problem, offered::text FROM conflict WHERE status = 'open' ORDER BY id"
        )
        return [*rows]

    async def happens(self, what: str) -> None:
        self.version += 1
        stage = self.stage
        if what == "away":
            await is_away(stage, *MORNING)
        elif what == "back":
            while await stage.database.pool.fetchval("SELECT count(*) FROM absence WHERE status = 'planned'"):
                await is_back(stage)
        elif what == "other hours":
            await stage.database.pool.execute(
                "UPDATE working_hours SET shifts = '[]' WHERE technician_id = $1", world.karim.id
            )
            await is_away(stage, at(1, 0), at(1, 23), "outside_hours")
        elif what in ("left", "returns"):
            await karim_is(stage, what == "returns", self.version)
        elif what == "sets out":
            await self.becomes("en_route")
        elif conflicts := await self.open_conflicts():
            await self.somebody_acts(what, conflicts[0]["id"])

    async def becomes(self, status: Any) -> None:
        self.version += 1
        self.visit = self.visit.model_copy(update={"status": status, "version": self.version})
        await self.stage.knows(self.visit)
        await self.stage.hears(moved(status, version=self.version))

    async def somebody_acts(self, what: str, id: Any) -> None:
        if what == "offer":
            outcome = await self.stage.when(OfferTimes.model_validate({"conflict_id": id}), by=world.marie)
            if outcome.problem is None:
                grant = outcome.only(TimesOffered).grant_id
                self.token = SecretStr(Links(self.stage.settings.link_secret).token("times", grant))
        elif what == "choose" and self.token:
            await self.stage.when(ChooseTime(token=self.token, choice=1), by=ANYONE)
        elif what == "decide":
            await self.decides(id)

    async def decides(self, id: Any) -> int:
        """A manager gives it to Sofia, at another time each time; the status of the answer."""
        self.hour = 15 if self.hour == 13 else 13
        given = {"technician_id": world.sofia.id, "slot": slot(2, self.hour).model_dump()}
        to_sofia = ResolveConflict.model_validate({"conflict_id": id} | given)
        outcome = await self.stage.when(to_sofia, by=world.marie)
        return outcome.problem.status if outcome.problem else 200


async def test_each_open_conflict_can_end(stage: Stage) -> None:
    seen = set[str]()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=steps, ending=st.sampled_from(ENDS))
    @example(story=["away"], ending="decided")
    @example(story=["away", "other hours", "left"], ending="decided")
    @example(story=["left", "returns", "away", "offer", "choose"], ending="visit ends")
    @example(story=["away", "sets out", "left"], ending="work is done")
    async def happens(story: list[str], ending: str) -> None:
        this = World(stage)
        await this.begins()
        for what in story:
            await this.happens(what)
        waiting = await this.open_conflicts()
        seen.update(conflict["problem"] for conflict in waiting)
        if ending == "decided":
            for conflict in waiting:
                # What is decided about a visit settles the others of it.
                assert await this.decides(conflict["id"]) in (200, 409)
                assert conflict["id"] not in [one["id"] for one in await this.open_conflicts()]
        else:
            await this.becomes("cancelled" if ending == "visit ends" else "completed")
        assert await this.open_conflicts() == []
        assert await stage.parked() == []

    await run(happens)
    assert {"absence", "outside_hours", "technician_left"} <= seen
