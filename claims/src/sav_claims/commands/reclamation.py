"""Opening réclamations."""

from uuid import UUID

from sqlalchemy import Sequence

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.draft import forget_draft
from sav_claims.intake import check_days, check_type, earlier, place_of, product_of, skills_of
from sav_claims.lifecycle import triage
from sav_claims.model import Client, Reclamation
from sav_claims.settings import firm
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.claims.intake import Channel
from sav_contracts.claims.problems import unanswered
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    ReclamationCreated,
)

REFERENCES = Sequence("reclamation_reference")


class ForWhichClient(WrongField):
    field: str = "client_id"
    en = "say for which client"
    fr = "indiquez pour quel client"


class ComesBySite(WrongField):
    field: str = "channel"
    en = "what a client reports on their own comes by the site"
    fr = "ce qu’un client signale lui-même passe par le site"


class ClientGone(Conflict):
    """The client's account was deactivated or closed: nothing is opened for them."""

    code = "client_gone"
    name: str
    en = "The account of {name} is not active: nothing can be opened for them"
    fr = "Ce compte ({name}) n’est pas actif : aucune réclamation ne peut être ouverte à son nom"


@claims.command(OpenReclamation)
async def open_reclamation(cmd: OpenReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Report a fault: a client for themselves, a manager for a client."""
    channel = _channel(cmd, by)
    client = await tx.load(Client, for_whom(cmd.client_id, by), by)
    await _check_active(client, tx)
    product = await product_of(client.id, cmd.product_id, tx, by)
    check_type(cmd.problem_type, product)
    place = place_of(client, product, cmd.place)
    check_days(cmd.preferred_times, place, tx)
    # So that of two that are opened at once the second sees the first.
    if product:
        await tx.lock(f"opening for product {product.id}")
    known = await earlier(client, product, tx)
    priority, why = triage(cmd.problem_type, cmd.safety)
    reclamation = tx.add(
        Reclamation(
            id=tx.new_id(),
            reference=await _reference(tx),
            client_id=client.id,
            product_id=product.id if product else None,
            article=cmd.article or (product.article if product else ""),
            place=place,
            skills_needed=await skills_of(product, tx),
            problem_type=cmd.problem_type,
            description=cmd.description,
            safety=cmd.safety,
            unanswered=unanswered(product.family if product else None, cmd.problem_type, cmd.safety),
            channel=channel,
            opened_by=by.id,
            preferred_times=cmd.preferred_times,
            priority=priority,
            priority_reason=why,
            coverage="unknown",
            assignment=0,
            status="submitted",
            possible_duplicates=known.duplicates,
            repeat_of=known.repeat_of,
            earlier_visit_id=known.visit_id,
        )
    )
    await forget_draft(by, tx)
    tx.emit(reclamation, ReclamationCreated())
    return reclamation


def for_whom(client_id: UUID | None, by: Actor) -> UUID:
    """The id of the client: the one that is named, or the caller."""
    if client_id:
        return client_id
    if by.role is Role.CLIENT:
        return by.id
    raise ForWhichClient


async def _reference(tx: Tx) -> str:
    """The next one, with the year of the firm's day."""
    return f"REC-{tx.now.astimezone(firm().zone).year}-{await tx.session.scalar(REFERENCES):06}"


def _channel(cmd: OpenReclamation, by: Actor) -> Channel:
    if by.role is not Role.CLIENT:
        return cmd.channel or "phone"
    if cmd.channel not in (None, "site"):
        raise ComesBySite
    return "site"


async def _check_active(client: Client, tx: Tx) -> None:
    """Refuses a client whose account is known to be over; those of before it was copied here are taken."""
    account = await tx.copies(AccountView).one(client.id)
    if account and account.status in {"deactivated", "closed"}:
        raise ClientGone(name=client.name)
