"""Covers that managers add and void, and units that take another's place."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import world
from given_catalog import PRODUCT, article, claim, file, product, sold
from pydantic import ValidationError

from sav_catalog.model import Product
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import (
    AddCover,
    GetWarranty,
    ProductRegistered,
    ProductVerified,
    ReplaceProduct,
    VerifyProduct,
    VoidCover,
    WarrantyChanged,
)
from sav_contracts.catalog.warranty import Cover, Warranty
from sav_contracts.messages import RequestMessage

BOUGHT = date(2025, 1, 10)
DELIVERED = date(2026, 10, 20)


def adding(**fields: Any) -> AddCover:
    usual = {
        "product_id": PRODUCT,
        "kind": "contract",
        "start": "2026-01-01",
        "end": "2026-12-31",
        "reason": "contrat signé",
    }
    return AddCover.model_validate(usual | fields)


def replacing(**fields: Any) -> ReplaceProduct:
    usual = {
        "product_id": PRODUCT,
        "serial": "SN 2",
        "delivery_date": DELIVERED,
        "imposed": True,
        "reason": "corps percé",
    }
    return ReplaceProduct.model_validate(usual | fields)


def covered(**fields: Any) -> Product:
    usual: dict[str, Any] = {
        "purchase_date": BOUGHT,
        "delivery_date": BOUGHT,
        "proof_state": "accepted",
        "covers": sold(BOUGHT, BOUGHT, parts=36),
        "repairs": [],
    }
    return product(**(usual | fields))


def known(cover: Cover) -> UUID:
    """Its id: recorded covers from before have none."""
    assert cover.id
    return cover.id


def refused(outcome: Outcome, status: int, code: str) -> list[str]:
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (status, code), outcome.problem
    assert outcome.events == []
    return [error.field for error in outcome.problem.errors or []]


async def decision(stage: Stage, on: date, id: UUID = PRODUCT) -> tuple[str, str | None]:
    reply = (await stage.when(GetWarranty(product_id=id, on=on), by=world.marie)).reply
    return reply["decision"], reply["until"]


async def test_a_contract_covers_a_unit_whose_proof_nobody_has_seen(stage: Stage) -> None:
    await stage.given(article(), product())
    assert await decision(stage, date(2026, 5, 1)) == ("unknown", None)
    changed = (await stage.when(adding(exclusions="joints"), by=world.marie)).only(WarrantyChanged)
    assert (changed.cause, changed.cover, changed.until) == ("cover_added", "contract", date(2026, 12, 31))
    [cover] = changed.state.covers
    assert (cover.exclusions, cover.reason, cover.months) == ("joints", "contrat signé", None)
    assert await decision(stage, date(2026, 5, 1)) == ("covered", "2026-12-31")
    assert (await decision(stage, date(2027, 1, 1)))[0] == "unknown"


async def test_a_contract_stays_when_the_proof_is_accepted(stage: Stage) -> None:
    await stage.given(article(), product(proof=file(), proof_state="submitted"))
    await stage.when(adding(), by=world.marie)
    accepted = await stage.when(
        VerifyProduct(product_id=PRODUCT, accepted=True, proof=file().sha256), by=world.marie
    )
    kinds = [cover.kind for cover in accepted.only(ProductVerified).state.covers]
    assert kinds == ["contract", "legal_conformity", "commercial", "commercial"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"end": "2025-12-31"}, "ends_before_it_starts"),
        ({"parts": 0, "labour": 0, "travel": 0}, "pays_nothing"),
        ({"kind": "legal_conformity"}, "literal_error"),
        ({"reason": " "}, "string_too_short"),
        ({"parts": 101}, "less_than_equal"),
    ],
)
def test_a_cover_that_cannot_be_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as error:
        adding(**fields)
    assert [one["type"] for one in error.value.errors()] == [code]


async def test_a_voided_cover_pays_nothing_and_stays_readable(stage: Stage) -> None:
    await stage.given(article(), covered())
    made = (await stage.when(adding(), by=world.marie)).only(WarrantyChanged).state
    voiding = VoidCover(product_id=PRODUCT, cover_id=known(made.covers[-1]), reason="résilié")
    assert (await stage.when(adding(start="2029-01-01", end="2029-12-31"), by=world.marie)).events
    changed = (await stage.when(voiding, by=world.marie)).only(WarrantyChanged)
    assert (changed.cause, changed.cover, changed.until) == ("cover_voided", "contract", date(2029, 12, 31))
    voided = next(cover for cover in changed.state.covers if cover.id == voiding.cover_id)
    assert voided.voided_at
    assert voided.reason == "résilié"
    refused(await stage.when(voiding, by=world.marie), 409, "cover_voided")


async def test_nobody_takes_the_legal_guarantee_away(stage: Stage) -> None:
    legal, parts = sold(BOUGHT, BOUGHT, parts=36)
    await stage.given(article(), covered(covers=[legal, parts]))
    voided = await stage.when(
        VoidCover(product_id=PRODUCT, cover_id=known(parts), reason="usage professionnel"), by=world.marie
    )
    assert voided.events
    outcome = await stage.when(
        VoidCover(product_id=PRODUCT, cover_id=known(legal), reason="non"), by=world.marie
    )
    refused(outcome, 409, "legal_guarantee_stands")


async def test_a_cover_that_the_unit_does_not_have_is_not_found(stage: Stage) -> None:
    await stage.given(article(), covered())
    outcome = await stage.when(VoidCover(product_id=PRODUCT, cover_id=uuid4(), reason="non"), by=world.marie)
    refused(outcome, 404, "not_found")


async def test_a_unit_has_at_most_thirty_covers(stage: Stage) -> None:
    await stage.given(article(), product())
    outcomes = [await stage.when(adding(), by=world.marie) for _ in range(31)]
    assert all(outcome.events for outcome in outcomes[:30])
    refused(outcomes[30], 409, "too_many_covers")


async def test_covers_leave_room_for_what_is_said_later(stage: Stage) -> None:
    await stage.given(article(), product())
    long = "🔥" * 500
    outcomes = [await stage.when(adding(reason=long, exclusions=long), by=world.marie) for _ in range(8)]
    assert [bool(outcome.events) for outcome in outcomes[:3]] == [True] * 3
    refused(outcomes[-1], 409, "covers_too_long")


async def test_of_covers_that_are_added_at_once_none_is_lost(stage: Stage) -> None:
    await stage.given(article(), product())
    await asyncio.gather(*(stage.when(adding(), by=world.marie, seconds=20) for _ in range(10)))
    [row] = await stage.database.pool.fetch("SELECT json_array_length(covers) AS n FROM product")
    assert row["n"] == 10


@pytest.mark.parametrize(
    "who", [world.lea, world.paul, world.karim, world.alex], ids=["client", "another", "technician", "admin"]
)
@pytest.mark.parametrize(
    "command",
    [adding(), VoidCover(product_id=PRODUCT, cover_id=uuid4(), reason="non"), replacing()],
    ids=lambda command: type(command).__name__,
)
async def test_only_managers_decide_about_covers(
    stage: Stage, command: RequestMessage[Any], who: Actor
) -> None:
    await stage.given(article(), covered())
    await stage.knows(claim())
    refused(await stage.when(command, by=who), 403, "not_allowed")


class TestReplacement:
    """Code de la consommation, L217-13."""

    async def down(self, stage: Stage) -> None:
        """Asked for on the first of October, still down."""
        await stage.given(article(), covered())
        paid = Warranty.of_shares(100, 100, 100, why="cover_applies", cover="legal_conformity")
        asked = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
        await stage.knows(claim(created_at=asked, status="assigned", coverage="covered", warranty=paid))

    async def test_one_that_we_imposed_starts_two_new_years(self, stage: Stage) -> None:
        await self.down(stage)
        outcome = await stage.when(replacing(), by=world.marie)
        new, old = outcome.events
        assert isinstance(new, ProductRegistered)
        assert isinstance(old, WarrantyChanged)
        legal = next(cover for cover in new.state.covers if cover.kind == "legal_conformity")
        assert (legal.start, legal.end) == (DELIVERED, date(2028, 10, 20))
        # Our own warranty goes on, later by the days without a unit.
        parts = next(cover for cover in new.state.covers if cover.kind == "commercial")
        assert (parts.start, parts.end) == (BOUGHT, date(2028, 1, 29))
        assert (new.state.replaces_id, new.state.proof_state, new.state.serial) == (
            PRODUCT,
            "accepted",
            "SN2",
        )
        assert (old.state.replaced_by_id, old.state.replaced_on) == (new.state.id, DELIVERED)
        assert outcome.reply["id"] == str(new.state.id)
        assert (await decision(stage, DELIVERED))[0] == "not_covered"
        assert await decision(stage, date(2028, 10, 20), new.state.id) == ("covered", "2028-10-20")

    async def test_one_that_the_consumer_chose_only_suspends(self, stage: Stage) -> None:
        await self.down(stage)
        new = (await stage.when(replacing(imposed=False), by=world.marie)).events[0]
        assert isinstance(new, ProductRegistered)
        ends = {cover.kind: cover.end for cover in new.state.covers}
        # Nineteen days: from the first to the twentieth of October.
        assert ends == {"legal_conformity": date(2027, 1, 29), "commercial": date(2028, 1, 29)}

    async def test_after_the_legal_guarantee_nothing_starts_anew(self, stage: Stage) -> None:
        long_ago = date(2023, 1, 10)
        await stage.given(
            article(),
            covered(
                purchase_date=long_ago, delivery_date=long_ago, covers=sold(long_ago, long_ago, parts=60)
            ),
        )
        new = (await stage.when(replacing(), by=world.marie)).events[0]
        assert isinstance(new, ProductRegistered)
        ends = {cover.kind: cover.end for cover in new.state.covers}
        assert ends == {"legal_conformity": date(2025, 1, 10), "commercial": date(2028, 1, 10)}

    async def test_a_proof_that_is_accepted_only_afterwards_makes_no_difference(self, stage: Stage) -> None:
        """Whether the proof is accepted before or after the replacement, the legal guarantee ends on the same day."""
        await stage.given(
            article(warranty_parts_months=0, warranty_labour_months=0),
            product(purchase_date=BOUGHT, delivery_date=BOUGHT, proof=file(), proof_state="submitted"),
        )
        accepting = {"accepted": True, "proof": file().sha256}
        for imposed, end in ((False, date(2027, 1, 10)), (True, date(2028, 10, 20))):
            new = (
                await stage.when(replacing(imposed=imposed, serial=f"N {imposed}"), by=world.marie)
            ).events[0]
            assert isinstance(new, ProductRegistered)
            verified = await stage.when(
                VerifyProduct.model_validate({"product_id": new.state.id} | accepting), by=world.marie
            )
            told = next(event for event in verified.events if event.state.id == new.state.id)
            assert isinstance(told, ProductVerified)
            assert [cover.end for cover in told.state.covers] == [end]
            old = await stage.when(
                VerifyProduct.model_validate({"product_id": PRODUCT, "reason": "mal lu"} | accepting),
                by=world.marie,
            )
            refused(old, 409, "product_replaced")
            await stage.database.pool.execute(
                "UPDATE product SET replaced_by_id = NULL, covers = '[]', proof_state = 'submitted' WHERE id = $1",
                PRODUCT,
            )
            await stage.database.pool.execute("DELETE FROM product WHERE id = $1", new.state.id)

    async def test_what_another_seller_owes_does_not_begin_anew(self, stage: Stage) -> None:
        await stage.given(article(), covered(covers=[], sold_by="Brico Rhône"))
        new = (await stage.when(replacing(), by=world.marie)).events[0]
        assert isinstance(new, ProductRegistered)
        assert new.state.warranty(date(2027, 1, 10)).owed_by == "Brico Rhône"
        assert new.state.warranty(date(2027, 1, 11)).owed_by is None

    async def test_a_unit_is_replaced_once(self, stage: Stage) -> None:
        await stage.given(article(), covered())
        serials = [f"SN {n}" for n in range(2, 7)]
        outcomes = await asyncio.gather(
            *(stage.when(replacing(serial=serial), by=world.marie, seconds=20) for serial in serials)
        )
        codes = sorted(outcome.problem.code if outcome.problem else "" for outcome in outcomes)
        assert codes == ["", *["product_replaced"] * 4]
        refused(await stage.when(adding(), by=world.marie), 409, "product_replaced")

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"serial": "sn 1"}, None),
            ({"article_id": UUID(int=999)}, "article_id"),
            ({"delivery_date": date(2025, 1, 9)}, "delivery_date"),
            ({"delivery_date": date(2199, 1, 9)}, "delivery_date"),
        ],
    )
    async def test_what_cannot_be_is_refused(
        self, stage: Stage, fields: dict[str, Any], field: str | None
    ) -> None:
        await stage.given(article(), covered(serial="SN1"))
        outcome = await stage.when(replacing(**fields), by=world.marie)
        named = refused(outcome, 422 if field else 409, "invalid" if field else "serial_taken")
        assert named == ([field] if field else [])


class TestWhoSoldIt:
    async def test_the_proof_says_that_another_sold_it(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted"))
        verifying = VerifyProduct.model_validate(
            {"product_id": PRODUCT, "accepted": True, "proof": file().sha256, "sold_by": "Brico Rhône"}
        )
        state = (await stage.when(verifying, by=world.marie)).only(ProductVerified).state
        assert (state.sold_by, state.covers) == ("Brico Rhône", [])
        reply = (await stage.when(GetWarranty(product_id=PRODUCT, on=date(2026, 5, 1)), by=world.lea)).reply
        assert (reply["decision"], reply["why"], reply["owed_by"]) == (
            "not_covered",
            "sold_by_another",
            "Brico Rhône",
        )

    async def test_to_a_firm_we_owe_our_own_warranty_only(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted"))
        verifying = VerifyProduct(product_id=PRODUCT, accepted=True, proof=file().sha256, consumer=False)
        state = (await stage.when(verifying, by=world.marie)).only(ProductVerified).state
        assert {cover.kind for cover in state.covers} == {"commercial"}

    async def test_the_proof_says_that_we_sold_it_after_all(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted", sold_by="Brico Rhône"))
        verifying = VerifyProduct.model_validate(
            {"product_id": PRODUCT, "accepted": True, "proof": file().sha256, "sold_by": None}
        )
        state = (await stage.when(verifying, by=world.marie)).only(ProductVerified).state
        assert state.sold_by is None
        assert "legal_conformity" in {cover.kind for cover in state.covers}


class TestCorrection:
    def again(self, **fields: Any) -> VerifyProduct:
        usual = {"product_id": PRODUCT, "accepted": True, "proof": file().sha256}
        return VerifyProduct.model_validate(usual | fields)

    async def test_what_was_read_from_an_accepted_proof_is_corrected_with_a_reason(
        self, stage: Stage
    ) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted"))
        await stage.when(self.again(sold_by="Brico Rhône"), by=world.marie)
        assert refused(await stage.when(self.again(sold_by=None), by=world.marie), 422, "invalid") == [
            "reason"
        ]
        await stage.when(adding(), by=world.marie)
        right = self.again(sold_by=None, purchase_date="2025-02-10", reason="mal lu")
        state = (await stage.when(right, by=world.marie)).only(ProductVerified).state
        assert (state.sold_by, state.purchase_date) == (None, date(2025, 2, 10))
        assert [cover.kind for cover in state.covers] == [
            "contract",
            "legal_conformity",
            "commercial",
            "commercial",
        ]
        assert state.covers[1].start == date(2025, 2, 10)

    async def test_a_voided_cover_stays_voided(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted"))
        state = (await stage.when(self.again(), by=world.marie)).only(ProductVerified).state
        parts = next(cover for cover in state.covers if cover.kind == "commercial" and cover.parts)
        await stage.when(VoidCover(product_id=PRODUCT, cover_id=known(parts), reason="usage"), by=world.marie)
        again = await stage.when(self.again(reason="mal lu"), by=world.marie)
        covers = again.only(ProductVerified).state.covers
        assert [bool(cover.voided_at) for cover in covers] == [False, True, False]

    async def test_what_is_not_said_stays(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted", consumer=False))
        state = (
            (await stage.when(self.again(consumer=None, second_hand=None), by=world.marie))
            .only(ProductVerified)
            .state
        )
        assert (state.consumer, state.second_hand) == (False, False)

    async def test_that_we_sold_it_ourselves_is_no_other_seller(self, stage: Stage) -> None:
        await stage.given(article(), product(proof=file(), proof_state="submitted"))
        ours = self.again(sold_by="sav  démonstration SARL")
        assert (await stage.when(ours, by=world.marie)).only(ProductVerified).state.sold_by is None


async def test_without_a_day_the_answer_is_for_today_at_the_place(stage: Stage) -> None:
    """At the end of the last day in Paris it is still covered, a second later it is not, whatever UTC says."""
    legal = sold(date(2024, 6, 15), date(2024, 6, 15))
    await stage.given(article(), covered(covers=legal))
    for moment, expected in (
        (datetime(2026, 6, 15, 21, 59, tzinfo=UTC), "covered"),
        (datetime(2026, 6, 15, 22, 30, tzinfo=UTC), "not_covered"),
    ):
        stage.ahead = moment - datetime.now(UTC)
        reply = (await stage.when(GetWarranty(product_id=PRODUCT), by=world.lea)).reply
        assert reply["decision"] == expected
