"""Timelines: who reads which entries, of what hangs on a root too, and which events make none."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_views import NOW, a, new_read_model, show, told
from pydantic_core import from_json

from sav_chassis.errors import NotFound
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentChanged, AppointmentView
from sav_contracts.calendar.conflict import ConflictDetected, ConflictView
from sav_contracts.catalog.product import (
    ProductChanged,
    ProductRegistered,
    ProductVerified,
    ProductView,
    ProofSubmitted,
)
from sav_contracts.catalog.warranty import Cover
from sav_contracts.claims.photo import PhotoAdded, PhotoView
from sav_contracts.claims.reclamation import ReclamationCreated, ReclamationView, TechnicianAssigned
from sav_contracts.interventions.invoice import InvoiceChanged, InvoiceDrafted, InvoiceIssued, InvoiceView
from sav_contracts.interventions.payment import PaymentRecorded, PaymentView
from sav_contracts.interventions.report import (
    ReportChanged,
    ReportSentBack,
    ReportSubmitted,
    ReportValidated,
    ReportView,
)
from sav_contracts.interventions.visit import (
    InterventionChanged,
    InterventionClosed,
    InterventionPlanned,
    InterventionStarted,
    InterventionView,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_contracts.reporting import FeedbackGiven, FeedbackView
from sav_contracts.surface import SURFACE, TimelineRow
from sav_edge.projection import apply
from sav_edge.read_model import ReadModel

lea, paul, karim, sofia, marie = world.lea, world.paul, world.karim, world.sofia, world.marie
COVER = Cover(kind="legal_conformity", start=NOW.date(), end=NOW.date(), parts=100, labour=100, travel=100)
TIMELINES = {row.message: row for row in SURFACE if isinstance(row, TimelineRow)}


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    apart = settings.model_copy(update={"database_prefix": "timelines"})
    await new_read_model(apart)
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        yield pool


class Story:
    """Léa's réclamation: Sofia's visit is cancelled, Karim's is done, reported, invoiced and paid."""

    def __init__(self) -> None:
        self.product = a(ProductView)
        self.claim = a(
            ReclamationView, technician_id=karim.id, product_id=self.product.id, status="in_progress"
        )
        of: dict[str, Any] = {"reclamation_id": self.claim.id, "product_id": self.product.id}
        self.first = a(InterventionView, technician_id=sofia.id, status="cancelled", **of)
        self.visit = a(InterventionView, status="completed", **of)
        reported: dict[str, Any] = {"reclamation_id": self.claim.id, "intervention_id": self.visit.id}
        self.report = a(ReportView, **reported)
        self.invoice = a(InvoiceView, **reported)
        self.payment = a(PaymentView, invoice_id=self.invoice.id, reclamation_id=self.claim.id)
        self.photo = a(PhotoView, reclamation_id=self.claim.id)
        self.appointment = a(AppointmentView, reclamation_id=self.claim.id)
        self.conflict = a(ConflictView, reclamation_id=self.claim.id)
        self.feedback = a(FeedbackView, **reported)

    def events(self) -> list[Event]:
        report, invoice = self.report, self.invoice
        submitted, sent_back = newer(report, 2, status="submitted"), newer(report, 3, status="sent_back")
        issued = newer(invoice, 2, status="issued", number=f"F-{uuid4()}", total=Decimal(90))
        return [
            ProductRegistered(state=self.product),
            ProductChanged(state=newer(self.product, 2)),
            ReclamationCreated(state=newer(self.claim, 0)),
            TechnicianAssigned(state=self.claim, technician_id=karim.id),
            PhotoAdded(state=self.photo),
            InterventionPlanned(state=self.first),
            InterventionPlanned(state=newer(self.visit, 0)),
            InterventionChanged(state=newer(self.visit, 0)),
            ConflictDetected(state=self.conflict),
            AppointmentChanged(state=newer(self.appointment, 0)),
            AppointmentBooked(state=self.appointment),
            InterventionStarted(state=self.visit),
            ReportChanged(state=report),
            ReportSubmitted(state=submitted),
            ReportSentBack(state=sent_back, technician_id=karim.id, reason="photo floue"),
            InvoiceDrafted(state=invoice),
            InvoiceIssued(state=issued),
            InvoiceChanged(state=newer(issued, 3)),
            PaymentRecorded(state=self.payment),
            FeedbackGiven(state=newer(self.feedback, 2, status="given", rating=5)),
        ]


def newer(view: Any, version: int, **fields: Any) -> Any:
    return view.model_copy(update={"version": version} | fields)


async def entries(
    read: ReadModel, who: Actor, root: ReclamationView | ProductView | InterventionView
) -> list[dict[str, Any]]:
    page = await read.timeline(TIMELINES[type(root)], {f"{root.kind()}_id": root.id}, {}, who)
    items: list[dict[str, Any]] = from_json(page)["items"]
    return items


async def types(
    read: ReadModel, who: Actor, root: ReclamationView | ProductView | InterventionView
) -> list[str]:
    return [entry["type"].split(".")[1] for entry in await entries(read, who, root)]


async def happened(pool: asyncpg.Pool) -> tuple[ReadModel, Story]:
    story = Story()
    await apply(pool, in_time(story.events()))
    return ReadModel(pool), story


def in_time(events: list[Event]) -> list[RecordedEvent]:
    return [
        (envelope.model_copy(update={"at": NOW + timedelta(minutes=n)}), event)
        for n, (envelope, event) in enumerate(map(told, events))
    ]


EVERYTHING = [
    "ReclamationCreated", "TechnicianAssigned", "PhotoAdded", "InterventionPlanned", "InterventionPlanned",
    "ConflictDetected", "AppointmentBooked", "InterventionStarted", "ReportSubmitted", "ReportSentBack",
    "InvoiceDrafted", "InvoiceIssued", "PaymentRecorded", "FeedbackGiven",
]  # fmt: skip
BILLING = {"InvoiceDrafted", "InvoiceIssued", "PaymentRecorded"}


async def test_a_manager_reads_everything_that_is_worth_telling(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    assert await types(read, marie, story.claim) == EVERYTHING


async def test_a_technician_reads_nothing_of_billing_nor_of_a_colleagues_visit(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    theirs = [name for name in EVERYTHING if name not in BILLING]
    theirs.remove("InterventionPlanned")
    assert await types(read, karim, story.claim) == theirs
    told = await entries(read, karim, story.claim)
    assert not {entry["kind"] for entry in told} & {"invoice", "payment"}
    assert str(story.first.id) not in {entry["subject"] for entry in told}


async def test_a_client_reads_what_is_told_to_clients_of_what_they_may_see(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    hers = [
        name
        for name in EVERYTHING
        if name not in {"ConflictDetected", "ReportSubmitted", "ReportSentBack", "InvoiceDrafted"}
    ]
    assert await types(read, lea, story.claim) == hers
    assert "photo floue" not in str(await entries(read, lea, story.claim))


async def test_a_report_is_told_to_its_client_once_it_is_validated(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    # What happened before is of a report that was not theirs; telling it now would still name a draft.
    await apply(
        pool, in_time([ReportValidated(state=newer(story.report, 4, status="validated", reason="x"))])
    )
    told = await types(read, lea, story.claim)
    assert "ReportValidated" in told
    assert not {"ReportSubmitted", "ReportSentBack"} & set(told)


@pytest.mark.parametrize("who", [paul, sofia])
async def test_the_timeline_of_what_is_anothers_is_not_there(pool: asyncpg.Pool, who: Actor) -> None:
    read, story = await happened(pool)
    for root in (story.claim, story.product):
        with pytest.raises(NotFound):
            await entries(read, who, root)


async def test_a_products_timeline_tells_what_was_done_about_it(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    assert await types(read, marie, story.product) == [
        "ProductRegistered",
        "ReclamationCreated",
        "TechnicianAssigned",
        "InterventionPlanned",
        "InterventionPlanned",
        "InterventionStarted",
        "ReportSubmitted",
        "ReportSentBack",
    ]
    assert (await types(read, karim, story.product)).count("InterventionPlanned") == 1
    # Of a later réclamation with Sofia she sees the product, but not what others did.
    hers = a(ReclamationView, technician_id=sofia.id, product_id=story.product.id)
    await apply(pool, in_time([ReclamationCreated(state=hers)]))
    assert await types(read, sofia, story.product) == [
        "ProductRegistered",
        "ReclamationCreated",
        "InterventionPlanned",
    ]


async def test_a_visit_tells_its_history_to_who_sees_it(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    told = await types(read, marie, story.visit)
    assert {"InterventionPlanned", "InterventionStarted", "ReportSubmitted", "InvoiceIssued"} <= set(told)
    assert told.count("PaymentRecorded") == 1
    assert told.count("InterventionPlanned") == 1
    assert "ReclamationCreated" not in told
    assert "PaymentRecorded" not in await types(read, karim, story.visit)
    assert "PaymentRecorded" in await types(read, lea, story.visit)
    for who in (paul, sofia):
        with pytest.raises(NotFound):
            await entries(read, who, story.visit)


async def test_a_product_tells_its_whole_history_to_each_who_may_read_it(pool: asyncpg.Pool) -> None:
    """Its proof and covers, what was wrong with it, the visits, who pays of them, and their reports."""
    read, story = await happened(pool)
    product, visit, report = story.product, story.visit, story.report
    another = a(ReportView, intervention_id=a(InterventionView).id, reclamation_id=a(ReclamationView).id)
    accepted = newer(product, 4, proof_state="accepted", covers=[COVER])
    since: list[Event] = [
        ProofSubmitted(state=newer(product, 3, proof_state="submitted")),
        ProductVerified(state=accepted, accepted=True, reason="vu le ticket"),
        WarrantyDecided(state=newer(visit, 5), decision="partly", reason="un geste"),
        ReportValidated(state=newer(report, 4, status="validated")),
        InterventionClosed(state=newer(visit, 6, closed_at=NOW), outcome="completed"),
        ReportValidated(state=newer(another, 2, status="validated")),
    ]
    await apply(pool, in_time([*story.events(), *since])[-len(since) :])
    everything = [
        "ProductRegistered",
        "ReclamationCreated",
        "TechnicianAssigned",
        "InterventionPlanned",
        "InterventionPlanned",
        "InterventionStarted",
        "ReportSubmitted",
        "ReportSentBack",
        "ProofSubmitted",
        "ProductVerified",
        "WarrantyDecided",
        "ReportValidated",
        "InterventionClosed",
    ]
    assert await types(read, marie, product) == await types(read, world.alex, product) == everything
    # A technician reads nothing of a colleague's visit, a client nothing of a report before it was validated.
    mine = [*everything]
    mine.remove("InterventionPlanned")
    assert await types(read, karim, product) == mine
    assert await types(read, lea, product) == [
        name for name in everything if name not in {"ReportSubmitted", "ReportSentBack"}
    ]
    assert "photo floue" not in str(await entries(read, lea, product))
    for who in (paul, sofia):
        with pytest.raises(NotFound):
            await entries(read, who, product)
    # Page by page it is the same.
    row, ids = TIMELINES[ProductView], {"product_id": product.id}
    told, after = [], None
    while True:
        page = from_json(
            await read.timeline(row, ids, {"limit": ["4"]} | ({"after": [after]} if after else {}), marie)
        )
        told += [entry["type"].split(".")[1] for entry in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert told == everything


async def test_the_history_of_a_product_is_read_through_indexes(pool: asyncpg.Pool) -> None:
    _, story = await happened(pool)
    await show(pool, [a(InterventionView, product_id=uuid4()) for _ in range(3000)])
    await pool.execute("VACUUM ANALYZE view, timeline")
    plans: list[str] = []

    class Explaining:
        """Plans every statement before it runs it, as on tables too large to be read."""

        async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SET LOCAL enable_seqscan = off")
                plan = await connection.fetch(f"EXPLAIN {statement}", *arguments)
                plans.append("\n".join(row[0] for row in plan))
                rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows

        fetchrow, fetchval = pool.fetchrow, pool.fetchval

    assert await types(ReadModel(Explaining()), marie, story.product)  # type: ignore[arg-type]
    naming, lines = plans
    assert "list_intervention_found" in naming
    assert "timeline_pkey" in lines
    assert "Seq Scan" not in naming + lines


async def test_an_event_that_does_not_tell_makes_no_row(pool: asyncpg.Pool) -> None:
    story = Story()
    untold = [event for event in story.events() if not event.makes_timeline_line]
    assert {type(event) for event in untold} == {
        ProductChanged, InterventionChanged, AppointmentChanged, ReportChanged, InvoiceChanged,
    }  # fmt: skip
    await apply(pool, in_time(untold))
    roots: list[UUID] = [root for event in untold for root in event.state.timeline_roots()]
    assert await pool.fetch("SELECT FROM timeline WHERE root = ANY($1)", roots) == []
    assert len(await pool.fetch("SELECT FROM view WHERE id = ANY($1)", [e.state.id for e in untold])) == 5


async def test_events_in_any_order_and_twice_make_the_same_timeline(pool: asyncpg.Pool) -> None:
    story = Story()
    events = in_time(story.events())
    for one in (*reversed(events), *events):
        await apply(pool, [one])
    assert await types(ReadModel(pool), marie, story.claim) == EVERYTHING


async def test_a_page_ends_where_the_next_one_begins(pool: asyncpg.Pool) -> None:
    read, story = await happened(pool)
    row, ids = TIMELINES[ReclamationView], {"reclamation_id": story.claim.id}
    for who in (lea, karim, marie):
        whole, after, paged = await entries(read, who, story.claim), None, []
        while True:
            query = {"limit": ["3"]} | ({"after": [after]} if after else {})
            page = from_json(await read.timeline(row, ids, query, who))
            paged += page["items"]
            after = page["next"]
            if after is None:
                break
        assert paged == whole
