"""Unfinished réclamations: each person keeps one, which nobody else sees."""

from datetime import timedelta

from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.intake import check_type, product_of
from sav_claims.model import Client, Draft
from sav_claims.timers import drop_old_draft
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import Accepted
from sav_contracts.claims.draft import KEPT_DAYS, DropDraft, GetDraft, KeepDraft, ReclamationDraft


class NoDraft(NotFound):
    en = "No unfinished claim is kept"
    fr = "Aucune réclamation inachevée n’est conservée"


@claims.command(KeepDraft)
async def keep_draft(cmd: KeepDraft, tx: Tx, by: Actor) -> ReclamationDraft:
    """Keep what is written so far; what is given is checked as for opening."""
    client_id = cmd.client_id or (by.id if by.role is Role.CLIENT else None)
    if cmd.client_id:
        await tx.load(Client, cmd.client_id, by)
    if client_id:
        check_type(cmd.problem_type, await product_of(client_id, cmd.product_id, tx, by))
    kept = ReclamationDraft(
        **cmd.model_dump(), saved_at=tx.now, kept_until=tx.now + timedelta(days=KEPT_DAYS)
    )
    draft = await tx.session.get(Draft, by.id, with_for_update=True)
    if draft is None:
        draft = tx.add(Draft(author_id=by.id))
    draft.content, draft.saved_at, draft.kept_until = kept, kept.saved_at, kept.kept_until
    tx.remind(drop_old_draft, by.id, kept.kept_until)
    return kept


@claims.query(GetDraft)
async def get_draft(query: GetDraft, tx: Tx, by: Actor) -> ReclamationDraft:
    """The caller's own."""
    draft = await tx.session.get(Draft, by.id)
    if draft is None:
        raise NoDraft
    return draft.content


@claims.command(DropDraft)
async def drop_draft(cmd: DropDraft, tx: Tx, by: Actor) -> Accepted:
    """Drop the caller's own."""
    await forget_draft(by, tx)
    return Accepted()


async def forget_draft(by: Actor, tx: Tx) -> None:
    """Deletes the draft of this person, where there is one."""
    draft = await tx.session.get(Draft, by.id, with_for_update=True)
    if draft:
        await tx.session.delete(draft)
        tx.forget(drop_old_draft, by.id)
