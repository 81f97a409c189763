"""A technician who takes no visits any more leaves reports and visits behind: managers finish them in their place."""

from typing import Any

import pytest
import world
from given_billing import NOT_COVERED
from given_interventions import NOW, PRODUCT, SIGNATURE, VISIT, product, report, visit, work
from given_readings import lea
from given_views import a
from papers import text_of

from sav_chassis.files import Files
from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.interventions.invoice import InvoiceDrafted
from sav_contracts.interventions.report import (
    ReportChanged,
    ReportSentBack,
    ReportSubmitted,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    MoveIntervention,
    RecordWork,
    WorkRecorded,
)
from sav_contracts.messages import Command
from sav_interventions.model import Technician

record = RecordWork.model_validate(
    {
        "intervention_id": VISIT,
        "solution": "vanne remplacée",
        "labour": [{"description": "remplacement", "minutes": 90}],
    }
)
complete = MoveIntervention(intervention_id=VISIT, to="completed")
write = WriteReport(intervention_id=VISIT, findings="vanne bloquée", work_done="vanne remplacée")
rewrite = write.model_copy(update={"recommendations": "purger"})
unsigned = SignReport(intervention_id=VISIT, refused="rapport rédigé après le départ du technicien")
sign = SignReport(intervention_id=VISIT, signed_by="Léa", signature=SIGNATURE)
submit = SubmitReport(intervention_id=VISIT)
validate = ValidateReport(intervention_id=VISIT)
send_back = SendBackReport(intervention_id=VISIT, reason="des photos manquent")
DESCRIBING = [record, write, unsigned, sign, submit]


def karim(active: bool = False, **fields: Any) -> Technician:
    return Technician(**({"id": world.karim.id, "name": "Karim Haddad", "account_active": active} | fields))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def done(stage: Stage, what: Command[Any], by: Actor) -> Outcome:
    outcome = await stage.when(what, by=by)
    assert outcome.problem is None, outcome.problem
    return outcome


@pytest.mark.parametrize("manager", [world.marie, world.alex], ids=["a manager", "an admin"])
@pytest.mark.parametrize("card", [{}, {"active": True, "set_inactive": True}], ids=["left", "set inactive"])
async def test_a_manager_finishes_the_visit_of_a_technician_who_left_and_it_is_billed(
    stage: Stage, manager: Actor, card: dict[str, Any]
) -> None:
    await stage.given(karim(**card), visit("in_progress", warranty=NOT_COVERED))
    await stage.knows(lea())
    (await done(stage, record, manager)).only(WorkRecorded)
    (await done(stage, complete, manager)).only(InterventionMoved)
    written = (await done(stage, write, manager)).only(ReportChanged).state
    assert (written.written_by_id, written.status) == (manager.id, "draft")
    assert refusal(await stage.when(submit, by=manager)) == (409, "illegal_move"), (
        "nobody said why none signed"
    )
    signed = (await done(stage, unsigned, manager)).only(ReportChanged).state
    assert (signed.signed_by, signed.signature, signed.signature_refused) == (None, None, unsigned.refused)
    assert (await done(stage, submit, manager)).only(ReportSubmitted).state.written_by_id == manager.id
    outcome = await done(stage, validate, world.marie)
    [closed] = [event for event in outcome.events if isinstance(event, InterventionClosed)]
    assert closed.state.technician_id == world.karim.id
    (await stage.hears(enveloped(closed))).only(InvoiceDrafted)


@pytest.mark.parametrize("what", DESCRIBING)
@pytest.mark.parametrize(
    ("who", "left", "answer"),
    [
        (world.marie, False, (409, "technician_writes")),
        (world.alex, False, (409, "technician_writes")),
        (world.sofia, True, (404, "not_found")),
        (world.lea, True, (403, "not_allowed")),
    ],
    ids=["a manager, while they take visits", "an admin, too", "another technician", "the client"],
)
async def test_nobody_else_describes_a_visit(
    stage: Stage, what: Command[Any], who: Actor, left: bool, answer: tuple[int, str]
) -> None:
    await stage.given(karim(active=not left), visit("completed", work=work()), report("draft"))
    assert refusal(await stage.when(what, by=who)) == answer


async def test_what_the_technician_wrote_and_let_sign_stays_theirs(stage: Stage) -> None:
    await stage.given(karim(), visit("completed", work=work()), report("signed"))
    submitted = (await done(stage, submit, world.marie)).only(ReportSubmitted).state
    assert (submitted.written_by_id, submitted.signature) == (None, SIGNATURE)


async def test_a_report_that_is_sent_back_after_they_left_is_the_managers_to_correct(stage: Stage) -> None:
    await stage.given(karim(), visit("completed", work=work(), closed_at=NOW), report("validated"))
    begun = (await done(stage, send_back, world.marie)).only(ReportSentBack).state
    assert (begun.edition, begun.written_by_id) == (2, None)
    assert (await done(stage, rewrite, world.alex)).only(ReportChanged).state.written_by_id == world.alex.id
    assert refusal(await stage.when(submit, by=world.marie)) == (409, "signature_missing")
    await done(stage, unsigned, world.marie)
    await done(stage, submit, world.marie)
    await done(stage, validate, world.marie)
    further = (await done(stage, send_back, world.marie)).only(ReportSentBack).state
    assert (further.edition, further.written_by_id) == (3, world.alex.id), "it says what they wrote"


async def test_who_comes_back_writes_their_report_again(stage: Stage) -> None:
    await stage.given(
        karim(active=True), visit("completed", work=work()), report("draft", written_by_id=world.marie.id)
    )
    assert refusal(await stage.when(rewrite, by=world.marie)) == (409, "technician_writes")
    assert (await done(stage, rewrite, world.karim)).only(ReportChanged).state.written_by_id is None


async def test_who_became_a_manager_still_writes_their_own_report(stage: Stage) -> None:
    promoted = Actor(id=world.karim.id, role=Role.MANAGER)
    await stage.given(karim(), visit("completed", work=work()))
    assert (await done(stage, write, promoted)).only(ReportChanged).state.written_by_id is None


async def test_its_paper_names_the_technician_and_who_wrote_it(stage: Stage) -> None:
    await stage.given(
        karim(), visit("completed", work=work(), product_id=PRODUCT, done_at=NOW), report("draft")
    )
    await stage.knows(lea(), product(), a(AccountView, world.marie.id, name="Marie Laurent", role="manager"))
    for what in (rewrite, unsigned, submit):
        await done(stage, what, world.marie)
    printed = (await stage.runs_effects()).only(ReportChanged).state
    assert printed.document
    read = text_of(await Files(stage.settings.files_url).get(printed.document))
    assert "Karim Haddad" in read
    assert "Rapport rédigé par Marie Laurent" in " ".join(read.split())


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused"])
@pytest.mark.parametrize("who", [world.marie, world.karim], ids=["a manager", "themselves"])
async def test_a_visit_ends_where_its_technician_cannot_go_on_and_another_one_follows(
    stage: Stage, status: Any, who: Actor
) -> None:
    await stage.given(karim(active=who is world.karim), visit(status))
    ends = MoveIntervention(intervention_id=VISIT, to="incomplete", cause="technician_unavailable")
    ended, planned = (await done(stage, ends, who)).events
    assert isinstance(ended, InterventionMoved)
    assert isinstance(planned, InterventionPlanned)
    assert (ended.state.status, ended.state.cause) == ("incomplete", "technician_unavailable")
    assert (planned.state.follows_id, planned.state.status) == (VISIT, "planned")
