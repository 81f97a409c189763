"""Comments and notes about réclamations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sav_chassis.errors import Conflict, WrongField, WrongFields
from sav_chassis.tx import Tx
from sav_claims.answers import answered_by_client
from sav_claims.app import claims
from sav_claims.merging import check_not_merged
from sav_claims.model import Client, Reclamation
from sav_claims.sla import responded
from sav_claims.writing import Comment, Note
from sav_contracts.actor import MANAGERS, Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.claims.comment import AddComment, AddNote, CommentAdded, NoteAdded
from sav_contracts.claims.reclamation import OVER, ReclamationChanged
from sav_contracts.labels import label
from sav_contracts.sentences import Text


class ClosedForComments(Conflict):
    """A closed réclamation takes no comments before it is reopened."""

    code = "closed_for_comments"
    reference: str
    en = "{reference} is closed: reopen it first, or report the fault anew"
    fr = "{reference} est clôturée : demandez d’abord sa réouverture, ou signalez de nouveau la panne"


class OverForComments(Conflict):
    """A cancelled or rejected réclamation takes no more comments."""

    code = "over_for_comments"
    reference: str
    state: Text
    en = "{reference} is {state} and stays so: report the fault anew"
    fr = "{reference} est définitivement à l’état « {state} » : signalez de nouveau la panne"


class StaffMentions(WrongField):
    field: str = "mentions"
    en = "only staff call others to a claim"
    fr = "seules les personnes du service après-vente peuvent en mentionner d’autres"


class NobodyToMention(WrongField):
    reference: str
    en = "not an active member of the staff who reads {reference}"
    fr = "ce n’est pas une personne active du service après-vente qui a accès à {reference}"


@claims.command(AddComment)
async def add_comment(cmd: AddComment, tx: Tx, by: Actor) -> Comment:
    """Comment for everybody concerned; by its client it is the answer that a réclamation may wait for."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    await check_not_merged(reclamation, tx)
    if reclamation.status == "closed":
        raise ClosedForComments(reference=reclamation.reference)
    if reclamation.status in OVER:
        raise OverForComments(reference=reclamation.reference, state=label(reclamation.status))
    if cmd.mentions and by.role is Role.CLIENT:
        raise StaffMentions
    comment = tx.add(Comment(**await _written(cmd, reclamation, tx, by)))
    answers = by.role is Role.CLIENT and reclamation.status == "awaiting_client"
    tx.emit(comment, CommentAdded(technician_id=reclamation.technician_id, answers=answers))
    await answered_by_client(reclamation, tx, by)
    if by.role is not Role.CLIENT and responded(reclamation, tx):
        tx.emit(reclamation, ReclamationChanged())
    return comment


@claims.command(AddNote)
async def add_note(cmd: AddNote, tx: Tx, by: Actor) -> Note:
    """Write a note for the staff, also about what is over."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    await check_not_merged(reclamation, tx)
    note = tx.add(Note(**await _written(cmd, reclamation, tx, by)))
    tx.emit(note, NoteAdded())
    return note


async def _written(cmd: AddComment | AddNote, reclamation: Reclamation, tx: Tx, by: Actor) -> dict[str, Any]:
    mentions = tuple(dict.fromkeys(cmd.mentions))
    await _check_mentions(cmd.mentions, reclamation, tx)
    return {
        "id": tx.new_id(),
        "reclamation_id": reclamation.id,
        "by": by.role,
        "author_id": by.id,
        "author": await _name(by, tx),
        "text": cmd.text,
        "mentions": mentions,
    }


async def _name(by: Actor, tx: Tx) -> str:
    if by.role is Role.CLIENT:
        return (await tx.read(Client, by.id, by)).name
    return (await tx.view(AccountView, by.id)).name


async def _check_mentions(mentions: Sequence[UUID], reclamation: Reclamation, tx: Tx) -> None:
    """All are answered alike, whoever they are: nobody learns which ids exist."""
    if not mentions:
        return
    accounts = {account.id: account for account in await tx.copies(AccountView).where(id=[*mentions]).all()}
    wrong = [
        NobodyToMention(field=f"mentions.{number}", reference=reclamation.reference)
        for number, id in enumerate(mentions)
        if id not in accounts or not _may_be_called(accounts[id], reclamation)
    ]
    if wrong:
        raise WrongFields.each(wrong)


def _may_be_called(account: AccountView, reclamation: Reclamation) -> bool:
    theirs = account.role is Role.TECHNICIAN and account.id == reclamation.technician_id
    return account.status == "active" and (theirs or account.role in MANAGERS)
