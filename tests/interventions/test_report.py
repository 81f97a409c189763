"""Reports: written, signed or not, submitted, sent back, validated; and corrected by another edition."""

from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_interventions import NOW, REPORT, SIGNATURE, VISIT, assigned, report, visit, work
from sqlalchemy.exc import IntegrityError

from sav_chassis.errors import IllegalMove, NotAllowed
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.interventions.report import (
    ArchiveReport,
    ReportArchived,
    ReportChanged,
    ReportSentBack,
    ReportStatus,
    ReportSubmitted,
    ReportValidated,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionPlanned,
    InterventionStatus,
    MoveIntervention,
)
from sav_contracts.messages import Command
from sav_interventions import lifecycle

# Said once more: what the table must be, and nothing else.
WRITERS = {Role.TECHNICIAN, Role.MANAGER, Role.ADMIN}
TABLE: dict[tuple[ReportStatus, ReportStatus], set[Role]] = {
    ("draft", "signed"): WRITERS,
    ("draft", "signature_refused"): WRITERS,
    ("signed", "submitted"): WRITERS,
    ("signature_refused", "submitted"): WRITERS,
    ("sent_back", "submitted"): WRITERS,
    ("submitted", "validated"): {Role.MANAGER},
    ("submitted", "sent_back"): {Role.MANAGER},
    ("validated", "archived"): {Role.ADMIN},
    ("signed", "draft"): {Role.SYSTEM},
    ("signature_refused", "draft"): {Role.SYSTEM},
}
STATES = get_args(ReportStatus)

write = WriteReport(intervention_id=VISIT, findings="vanne bloquée", work_done="vanne remplacée")
rewrite = WriteReport(
    intervention_id=VISIT,
    findings="vanne bloquée",
    work_done="vanne et joint remplacés",
    recommendations="purger",
)
sign = SignReport(intervention_id=VISIT, signed_by="Léa", signature=SIGNATURE)
refuse = SignReport(intervention_id=VISIT, refused="elle est partie")
submit = SubmitReport(intervention_id=VISIT)
validate = ValidateReport(intervention_id=VISIT)
archive = ArchiveReport(intervention_id=VISIT)
send_back = SendBackReport(intervention_id=VISIT, reason="des photos manquent")


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("now", STATES)
def test_the_table_says_who_moves_what_where(now: ReportStatus, role: Role) -> None:
    who = Actor(role=role)
    for to in STATES:
        allowed = TABLE.get((now, to), set())
        if role in allowed:
            lifecycle.REPORT.check(now, to, who)
        else:
            with pytest.raises(NotAllowed if allowed - {Role.SYSTEM} else IllegalMove):
                lifecycle.REPORT.check(now, to, who)


@pytest.mark.parametrize("now", get_args(InterventionStatus))
async def test_a_report_is_about_work_that_has_begun(stage: Stage, now: InterventionStatus) -> None:
    await stage.given(visit(now))
    outcome = await stage.when(write, by=world.karim)
    if now in {"in_progress", "paused", "completed", "incomplete"}:
        written = outcome.only(ReportChanged).state
        assert (written.status, written.edition, written.intervention_id) == ("draft", 1, VISIT)
        assert (written.findings, written.work_done) == ("vanne bloquée", "vanne remplacée")
    else:
        assert refusal(outcome) == (409, "nothing_to_report")


@pytest.mark.parametrize("now", STATES)
async def test_a_report_is_written_again_until_it_is_signed_and_when_it_is_sent_back(
    stage: Stage, now: ReportStatus
) -> None:
    await stage.given(visit("completed", closed_at=NOW), report(now))
    outcome = await stage.when(rewrite, by=world.karim)
    if now in {"draft", "sent_back"}:
        written = outcome.only(ReportChanged).state
        assert (written.id, written.status, written.edition) == (REPORT, now, 1)
        assert (written.work_done, written.recommendations) == ("vanne et joint remplacés", "purger")
    else:
        code = "report_final" if now in {"validated", "archived"} else "signed_already"
        assert refusal(outcome) == (409, code)


@pytest.mark.parametrize("now", STATES)
@pytest.mark.parametrize("how", [sign, refuse], ids=["signed", "refused"])
async def test_a_report_is_signed_once_unless_it_is_sent_back(
    stage: Stage, now: ReportStatus, how: SignReport
) -> None:
    await stage.given(visit("completed"), report(now))
    outcome = await stage.when(how, by=world.karim)
    if now not in {"draft", "sent_back"}:
        assert refusal(outcome) == (409, "illegal_move")
        return
    state = outcome.only(ReportChanged).state
    assert state.status == (
        "sent_back" if now == "sent_back" else "signed" if how is sign else "signature_refused"
    )
    if how is sign:
        assert (state.signed_by, state.signature, state.signature_refused) == ("Léa", SIGNATURE, None)
        assert state.signed_at
        assert state.signed_at > NOW
    else:
        assert (state.signed_by, state.signature, state.signed_at) == (None, None, None)
        assert state.signature_refused == "elle est partie"
        assert state.signature_refused_at
        assert state.signature_refused_at > NOW


@pytest.mark.parametrize("now", STATES)
async def test_a_signed_report_is_submitted(stage: Stage, now: ReportStatus) -> None:
    await stage.given(visit("completed"), report(now))
    outcome = await stage.when(submit, by=world.karim)
    if now in {"signed", "signature_refused", "sent_back"}:
        submitted = outcome.only(ReportSubmitted).state
        assert (submitted.status, submitted.reason) == ("submitted", None)
    else:
        assert refusal(outcome) == (409, "illegal_move")


async def test_what_is_written_again_must_be_signed_again(stage: Stage) -> None:
    await stage.given(visit("completed"), report("sent_back"))
    rewritten = (await stage.when(rewrite, by=world.karim)).only(ReportChanged).state
    assert (rewritten.signed_by, rewritten.signature, rewritten.signed_at) == (None, None, None)
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "signature_missing")
    await stage.when(sign, by=world.karim)
    assert (await stage.when(submit, by=world.karim)).only(ReportSubmitted).state.signature == SIGNATURE


@pytest.mark.parametrize("now", ["in_progress", "paused"])
async def test_a_report_is_submitted_when_the_visit_is_over(stage: Stage, now: InterventionStatus) -> None:
    await stage.given(visit(now), report("signed"))
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "visit_not_over")


@pytest.mark.parametrize("outcome", ["completed", "incomplete"])
async def test_a_validated_report_closes_its_visit(stage: Stage, outcome: InterventionStatus) -> None:
    await stage.given(visit(outcome, work=work()), report("submitted"))
    validated, closed = (await stage.when(validate, by=world.marie)).events
    assert isinstance(validated, ReportValidated)
    assert (validated.state.status, validated.state.id) == ("validated", REPORT)
    assert isinstance(closed, InterventionClosed)
    assert (closed.outcome, closed.follow_up_id, closed.state.status) == (outcome, None, outcome)
    assert closed.state.closed_at


async def test_a_closed_visit_names_the_one_that_goes_on_with_it(stage: Stage) -> None:
    await stage.given(visit("in_progress", work=work()), report("signed"))
    incomplete = MoveIntervention(intervention_id=VISIT, to="incomplete", cause="parts")
    _, first = (await stage.when(incomplete, by=world.karim)).events
    assert isinstance(first, InterventionPlanned)
    _, second, _ = (await stage.hears(assigned(world.sofia, previous=world.karim))).events
    await stage.when(submit, by=world.karim)
    _, closed = (await stage.when(validate, by=world.marie)).events
    assert isinstance(closed, InterventionClosed)
    assert closed.follow_up_id == second.state.id != first.state.id


async def test_a_report_is_sent_back_with_the_reason(stage: Stage) -> None:
    await stage.given(visit("completed"), report("submitted"))
    told = (await stage.when(send_back, by=world.marie)).only(ReportSentBack)
    assert (told.state.status, told.state.reason, told.reason) == (
        "sent_back",
        "des photos manquent",
        "des photos manquent",
    )
    assert told.technician_id == world.karim.id


@pytest.mark.parametrize("what", [validate, send_back], ids=["validated", "sent back"])
@pytest.mark.parametrize("now", [state for state in STATES if state != "submitted"])
async def test_a_manager_judges_what_was_submitted(
    stage: Stage, now: ReportStatus, what: Command[Any]
) -> None:
    await stage.given(visit("completed"), report(now))
    outcome = await stage.when(what, by=world.marie)
    if what is send_back and now in {"validated", "archived"}:
        further = outcome.only(ReportSentBack).state
        assert (further.edition, further.status, further.reason) == (2, "sent_back", send_back.reason)
        assert (further.work_done, further.signature, further.document) == ("vanne remplacée", None, None)
        assert further.id != REPORT
    else:
        assert refusal(outcome) == (409, "illegal_move")


async def test_a_correction_is_another_edition_and_closes_nothing_again(stage: Stage) -> None:
    await stage.given(visit("completed", closed_at=NOW), report("validated"))
    await stage.when(send_back, by=world.marie)
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "signature_missing")
    await stage.when(rewrite, by=world.karim)
    await stage.when(refuse, by=world.karim)
    await stage.when(submit, by=world.karim)
    validated = (await stage.when(validate, by=world.marie)).only(ReportValidated).state
    assert (validated.edition, validated.signature_refused) == (2, "elle est partie")


@pytest.mark.parametrize("what", [sign, refuse, submit])
async def test_a_report_that_is_not_written_does_not_exist(stage: Stage, what: Command[Any]) -> None:
    await stage.given(visit("completed"))
    assert refusal(await stage.when(what, by=world.karim)) == (404, "not_found")


@pytest.mark.parametrize("what", [write, sign, submit])
@pytest.mark.parametrize(
    ("who", "answer"),
    [
        (world.sofia, (404, "not_found")),
        (world.lea, (403, "not_allowed")),
    ],
    ids=["another technician", "the client"],
)
async def test_only_its_technician_reports(
    stage: Stage, what: Command[Any], who: Actor, answer: tuple[int, str]
) -> None:
    await stage.given(visit("completed"), report("draft"))
    assert refusal(await stage.when(what, by=who)) == answer


@pytest.mark.parametrize("what", [validate, send_back])
@pytest.mark.parametrize("who", [world.karim, world.alex, world.lea], ids=["technician", "admin", "client"])
async def test_only_a_manager_judges_a_report(stage: Stage, what: Command[Any], who: Actor) -> None:
    await stage.given(visit("completed"), report("submitted"))
    assert refusal(await stage.when(what, by=who)) == (403, "not_allowed")


@pytest.mark.parametrize("edition", [1, 2])
async def test_two_open_editions_cannot_be(stage: Stage, edition: int) -> None:
    await stage.given(visit("completed"), report("draft"))
    with pytest.raises(IntegrityError):
        await stage.given(report("draft", id=UUID(int=501), edition=edition))


async def test_a_client_reads_a_report_once_it_is_validated(stage: Stage) -> None:
    await stage.given(visit("completed"), report("signed"))
    submitted = (await stage.when(submit, by=world.karim)).only(ReportSubmitted)
    assert submitted.state.for_client() is None
    validated, _ = (await stage.when(validate, by=world.marie)).events
    shown = validated.state.for_client()
    assert shown
    assert shown.model_dump()["work_done"] == "vanne remplacée"


async def test_a_report_is_saved_as_one_types_and_what_is_the_same_is_no_event(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    begun = WriteReport(intervention_id=VISIT, findings="vanne blo")
    first = (await stage.when(begun, by=world.karim)).only(ReportChanged).state
    assert (first.findings, first.work_done, first.recommendations, first.photos) == (
        "vanne blo",
        "",
        None,
        [],
    )
    again = await stage.when(begun, by=world.karim)
    assert (again.problem, again.events, again.reply["version"]) == (None, [], 1)
    whole = (await stage.when(write, by=world.karim)).only(ReportChanged).state
    assert (whole.findings, whole.work_done, whole.edition) == ("vanne bloquée", "vanne remplacée", 1)
    emptied = WriteReport(intervention_id=VISIT, work_done="  ", recommendations="")
    state = (await stage.when(emptied, by=world.karim)).only(ReportChanged).state
    assert (state.findings, state.work_done, state.recommendations) == ("", "", None)


async def test_nothing_is_written_yet_in_a_report_that_is_only_opened(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    opened = await stage.when(WriteReport(intervention_id=VISIT), by=world.karim)
    assert opened.only(ReportChanged).state.status == "draft"


@pytest.mark.parametrize("how", [sign, refuse], ids=["signed", "refused"])
@pytest.mark.parametrize(
    ("written", "lacks"),
    [
        ({"findings": ""}, "what was found"),
        ({"work_done": ""}, "what was done"),
        ({"findings": "", "work_done": ""}, "what was found and what was done"),
    ],
)
async def test_nobody_signs_half_a_report(
    stage: Stage, how: SignReport, written: dict[str, str], lacks: str
) -> None:
    await stage.given(visit("completed"), report("draft", **written))
    outcome = await stage.when(how, by=world.karim)
    assert refusal(outcome) == (409, "report_incomplete")
    assert outcome.problem
    assert outcome.problem.detail == f"The report lacks {lacks}"


async def test_half_a_report_is_not_submitted_once_it_is_sent_back(stage: Stage) -> None:
    await stage.given(visit("completed"), report("sent_back"))
    await stage.when(WriteReport(intervention_id=VISIT, findings="vanne bloquée"), by=world.karim)
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "report_incomplete")


async def test_what_is_sent_back_and_left_as_it_is_keeps_its_signature(stage: Stage) -> None:
    await stage.given(visit("completed"), report("sent_back"))
    assert (await stage.when(write, by=world.karim)).events == []
    assert (await stage.when(submit, by=world.karim)).only(ReportSubmitted).state.signature == SIGNATURE


async def test_an_admin_archives_a_validated_report_with_its_earlier_editions(stage: Stage) -> None:
    await stage.given(visit("completed", closed_at=NOW), report("validated"))
    second = report("validated", id=UUID(int=501), edition=2)
    await stage.given(second)
    events = (await stage.when(archive, by=world.alex)).events
    assert [type(event) for event in events] == [ReportArchived, ReportArchived]
    assert [(event.state.edition, event.state.status) for event in events] == [
        (2, "archived"),
        (1, "archived"),
    ]
    assert events[0].state.for_client() is not None
    assert refusal(await stage.when(archive, by=world.alex)) == (409, "illegal_move")


@pytest.mark.parametrize("now", [state for state in STATES if state != "validated"])
async def test_only_what_is_validated_is_archived(stage: Stage, now: ReportStatus) -> None:
    await stage.given(visit("completed"), report(now))
    assert refusal(await stage.when(archive, by=world.alex)) == (409, "illegal_move")


async def test_nothing_is_archived_while_its_correction_is_written(stage: Stage) -> None:
    await stage.given(visit("completed", closed_at=NOW), report("validated"))
    await stage.when(send_back, by=world.marie)
    assert refusal(await stage.when(archive, by=world.alex)) == (409, "illegal_move")


@pytest.mark.parametrize(
    "who", [world.karim, world.marie, world.lea], ids=["technician", "manager", "client"]
)
async def test_only_admins_archive(stage: Stage, who: Actor) -> None:
    await stage.given(visit("completed"), report("validated"))
    assert refusal(await stage.when(archive, by=who)) == (403, "not_allowed")


async def test_an_archived_report_is_corrected_by_another_edition(stage: Stage) -> None:
    await stage.given(visit("completed", closed_at=NOW), report("archived"))
    assert (await stage.when(send_back, by=world.marie)).only(ReportSentBack).state.edition == 2
    assert (await stage.when(rewrite, by=world.karim)).only(ReportChanged).state.edition == 2
