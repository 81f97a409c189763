"""Planning a visit by hand."""

from uuid import UUID

from sqlalchemy import Sequence

from sav_chassis.errors import Conflict, NamesNothing, NoSuch, NotAllowed, NotYet, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.claims.visits import NOT_PLANNABLE
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.technician import Skill, skills_for
from sav_contracts.interventions.visit import InterventionPlanned, WarrantyDecided
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON
from sav_contracts.visibility import ALL
from sav_interventions.app import interventions
from sav_interventions.days import today
from sav_interventions.finding import last_visit, open_visit
from sav_interventions.model import Intervention
from sav_interventions.reactions.warranty import warranty_for
from sav_interventions.who_comes import able_technician
from sav_interventions.who_pays import NO_FAULT, by_covers

REFERENCES = Sequence("intervention_reference")


class SlotInPast(WrongField):
    field: str = "slot"
    en = "a visit is planned in the future"
    fr = "une intervention se planifie dans le futur"


class SlotTooFar(WrongField):
    field: str = "slot"
    en = "at most a year ahead"
    fr = "au plus un an à l’avance"


class WhoComes(WrongField):
    field: str = "technician_id"
    en = "say who comes"
    fr = "indiquez qui intervient"


class UnitReplaced(WrongField):
    field: str = "product_id"
    en = "this unit was replaced: choose the one that took its place"
    fr = "cet appareil a été remplacé : choisissez celui qui a pris sa place"


class WherePlease(WrongField):
    field: str = "place"
    en = "say where the article is: its address"
    fr = "indiquez où se trouve l’article : son adresse"


class OnlyYourOwn(WrongField):
    field: str = "technician_id"
    en = "a technician plans visits of their own: leave it out"
    fr = "un technicien planifie ses propres interventions : ne l’indiquez pas"


class OnlyFurtherVisits(NotAllowed):
    en = "A technician plans further visits, for claims that are assigned to them"
    fr = "Un technicien planifie d’autres interventions pour des réclamations qui lui sont attribuées"


class ClientGone(Conflict):
    """The client's account was deactivated or closed: nobody comes to them."""

    code = "client_gone"
    name: str
    en = "The account of {name} is not active: no visit can be planned for them"
    fr = "Ce compte ({name}) n’est pas actif : aucune intervention ne peut être planifiée à son nom"


class NotPlannable(Conflict):
    """No visit is planned for a réclamation in this state; the detail says why."""

    code = "not_plannable"
    reference: str
    why: Text
    en = "No visit can be planned for {reference}: {why}"
    fr = "Aucune intervention ne peut être planifiée pour {reference} : {why}"


class AnotherTechnician(Conflict):
    """The réclamation has another technician: it is assigned anew instead."""

    code = "another_technician"
    reference: str
    en = "{reference} has another technician: assign the claim to whoever is to come"
    fr = "{reference} est confiée à un autre technicien : attribuez la réclamation à celui qui doit venir"


class VisitOpen(Conflict):
    """A réclamation has one open visit at a time."""

    code = "visit_open"
    reference: str
    state: Text
    en = "{reference} has a visit already, which is {state}: end that one first"
    fr = "{reference} a déjà une intervention, à l’état « {state} » : terminez d’abord celle-ci"


@interventions.command(CreateIntervention)
async def create_intervention(cmd: CreateIntervention, tx: Tx, by: Actor) -> Intervention:
    """Plan a visit by hand, for a réclamation or for none."""
    _check_slot(cmd.slot, tx)
    _check_role(cmd, by)
    visit = await (_of_reclamation if cmd.reclamation_id else _of_client)(cmd, tx, by)
    planned = InterventionPlanned(slot=cmd.slot, outside_hours=cmd.outside_hours, by_hand=True)
    tx.emit(tx.add(visit), planned)
    assert visit.warranty is not None
    tx.emit(visit, WarrantyDecided(decision=visit.warranty.decision, reason=visit.warranty.reason))
    return visit


def _check_role(cmd: CreateIntervention, by: Actor) -> None:
    if by.role is Role.TECHNICIAN and cmd.reclamation_id is None:
        raise OnlyFurtherVisits
    if by.role is Role.TECHNICIAN and cmd.technician_id not in (None, by.id):
        raise OnlyYourOwn


def _check_slot(slot: Slot | None, tx: Tx) -> None:
    if slot and slot.start <= tx.now:
        raise SlotInPast
    if slot and slot.start > tx.now + HORIZON:
        raise SlotTooFar


async def _of_reclamation(cmd: CreateIntervention, tx: Tx, by: Actor) -> Intervention:
    assert cmd.reclamation_id is not None
    reclamation = await _plannable(cmd.reclamation_id, tx, by)
    technician_id = cmd.technician_id or reclamation.technician_id
    if technician_id is None:
        raise WhoComes
    if reclamation.technician_id not in (None, technician_id):
        raise AnotherTechnician(reference=reclamation.reference)
    technician = await able_technician(tx, technician_id, by, reclamation.skills_needed)
    warranty = await warranty_for(tx, reclamation)
    if other := await open_visit(tx, reclamation.id):
        raise VisitOpen(reference=reclamation.reference, state=label(other.status))
    return Intervention(
        id=tx.new_id(),
        client_id=reclamation.client_id,
        technician_id=technician.id,
        reclamation_id=reclamation.id,
        reclamation_reference=reclamation.reference,
        article=reclamation.article,
        # Planning it for nobody's réclamation assigns that: the visit belongs to the assignment which follows.
        assignment=reclamation.assignment + (reclamation.technician_id is None),
        by_hand=True,
        status="planned",
        purpose=cmd.purpose or "repair",
        product_id=reclamation.product_id,
        skills_needed=reclamation.skills_needed,
        place=reclamation.place,
        reported_at=reclamation.created_at,
        warranty=warranty,
        follows_id=await last_visit(tx, reclamation.id),
    )


async def _plannable(id: UUID, tx: Tx, by: Actor) -> ReclamationView:
    """The réclamation, if the caller sees it and its state allows a visit. The copy may be late, so both are waited for."""
    sees_all = ReclamationView.visible.to(by.role) == ALL
    not_there = None if sees_all else NoSuch(kind=label(ReclamationView.kind()), id=id)
    reclamation = await tx.view(ReclamationView, id, by, not_there)
    if why := NOT_PLANNABLE.get(reclamation.status):
        raise NotYet(reclamation.kind(), id, NotPlannable(reference=reclamation.reference, why=why))
    return reclamation


async def _of_client(cmd: CreateIntervention, tx: Tx, by: Actor) -> Intervention:
    assert cmd.client_id is not None
    if cmd.technician_id is None:
        raise WhoComes
    client = await tx.view(ClientView, cmd.client_id)
    account = await tx.copies(AccountView).one(client.id)
    if account and account.status in {"deactivated", "closed"}:
        raise ClientGone(name=client.name)
    needed = await _skills_needed(cmd.product_id, tx)
    technician = await able_technician(tx, cmd.technician_id, by, needed)
    product = await _their_product(client, cmd.product_id, tx) if cmd.product_id else None
    visit = Intervention(
        id=tx.new_id(),
        client_id=client.id,
        technician_id=technician.id,
        reference=await _reference(tx),
        article=product.article if product else cmd.article,
        assignment=0,
        by_hand=True,
        status="planned",
        purpose=cmd.purpose,
        product_id=product.id if product else None,
        place=product.place if product else _place(client, cmd),
        skills_needed=needed,
        reported_at=tx.now,
    )
    visit.warranty = by_covers(visit, product) if product else NO_FAULT
    return visit


async def _their_product(client: ClientView, id: UUID, tx: Tx) -> ProductView:
    """The client's product, which was not replaced. From here on, new covers find the visit."""
    await tx.lock(f"product {id}")
    product = await tx.view(ProductView, id)
    if product.client_id != client.id:
        raise NamesNothing(field="product_id", kind=label(ProductView.kind()), id=id)
    if product.replaced_by_id:
        raise UnitReplaced
    return product


def _place(client: ClientView, cmd: CreateIntervention) -> Place:
    """Where it is said to be, or else the only address in the client's profile."""
    if cmd.place:
        return Place.model_validate(cmd.place.model_dump())
    if len(client.addresses) == 1:
        return Place.model_validate(client.addresses[0].model_dump())
    raise WherePlease


async def _reference(tx: Tx) -> str:
    """The next one, with the year of the firm's day."""
    year = today(tx).year
    return f"INT-{year}-{await tx.session.scalar(REFERENCES):06}"


async def _skills_needed(product_id: UUID | None, tx: Tx) -> tuple[Skill, ...]:
    """What somebody has to be able to do who works on it: its trade alone, where its article is not known here."""
    product = await tx.copies(ProductView).one(product_id) if product_id else None
    if product is None:
        return ()
    article = await tx.copies(ArticleView).one(product.article_id)
    return skills_for(product.family, article.fuel if article else None)
