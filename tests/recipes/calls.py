"""A request for a row of the surface."""

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from stories import Json
from system import Person

from recipes import auth, catalog, claims, interventions, others
from recipes.recipe import Recipe
from recipes.scene import Scene, Side
from sav_contracts.actor import Role
from sav_contracts.calendar.appointment import AppointmentForClient, AppointmentView
from sav_contracts.catalog.article import ArticleForClient, ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientForClient, ClientView
from sav_contracts.claims.comment import CommentForClient, CommentView
from sav_contracts.claims.order import OrderView
from sav_contracts.claims.reclamation import ReclamationForClient, ReclamationView
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.credit_note import CreditNoteForClient, CreditNoteView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceForClient, InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.visit import InterventionForClient, InterventionView
from sav_contracts.interventions.visit_photo import VisitPhotoView
from sav_contracts.messages import View
from sav_contracts.surface import FieldRow, ListRow, Row

RECIPES: dict[str, Recipe] = {
    **auth.RECIPES,
    **catalog.RECIPES,
    **claims.RECIPES,
    **interventions.RECIPES,
    **others.RECIPES,
}
# What a client reads in place of what staff read, or in the same form with less in it.
# Said again here, so that the edge cannot be wrong unnoticed.
CLIENT_FORMS: dict[type[BaseModel], type[BaseModel]] = {
    ArticleView: ArticleForClient,
    ClientView: ClientForClient,
    ReclamationView: ReclamationForClient,
    CommentView: CommentForClient,
    InterventionView: InterventionForClient,
    ReportView: ReportView,
    AttestationView: AttestationView,
    VisitPhotoView: VisitPhotoView,
    EstimateView: EstimateView,
    InvoiceView: InvoiceForClient,
    CreditNoteView: CreditNoteForClient,
    ProductView: ProductView,
    OrderView: OrderView,
    # As booked, until it is settled who comes instead of a technician who left.
    AppointmentView: AppointmentForClient,
}


@dataclass(frozen=True)
class Call:
    """A path under /api, what is sent with it, and the record that it is about."""

    path: str
    record: Json
    sent: dict[str, Any] = field(default_factory=dict)
    # Who has to ask, where not anybody of that role can.
    who: Person | None = None


async def call(row: Row, scene: Scene, side: Side, role: Role, fresh: bool = True) -> Call:
    """Asks the row for a record of that side.

    Where asking changes the record it is one of its own; unless `fresh` is false: then the request has the right form,
    and works for nobody.
    """
    if issubclass(row.message, View):
        return _read(row, scene.record(side, role, row.message.kind()) if row.path != "/me" else {})
    recipe: Recipe = RECIPES[row.route]
    who = None
    if fresh and recipe.alone:
        who, record = await recipe.alone(scene, role)
    elif fresh and recipe.fresh:
        record = await recipe.fresh(scene, side)
    else:
        record = scene.record(side, role, recipe.kind) if recipe.kind else {}
    sent: dict[str, Any] = {"params" if row.method == "GET" else "json": recipe.body(record)}
    if recipe.signs:
        text = to_json(recipe.body(record)).decode()
        sent = {"content": text, "headers": recipe.signs(scene, text)}
    if recipe.files:
        sent = {"data": recipe.body(record), "files": recipe.files}
    return Call(_path(row, record), record, sent, who)


def _read(row: Row, record: Json) -> Call:
    if not isinstance(row, ListRow):
        return Call(_path(row, record), record)
    # From the record on: however many there are, it stands on the first page of whoever may see it.
    since = {"created_from": record["created_at"], "sort": "created_at", "limit": 200}
    return Call(_path(row, record), record, {"params": since})


def _path(row: Row, record: Json) -> str:
    """The last id is the record's, unless the record says on what it hangs."""
    return re.sub(r"{(\w+)}", lambda name: str(record.get(name[1], record.get("id"))), row.path)


def shape(row: Row, role: Role) -> type[BaseModel]:
    """The model that this role's answer must have the fields of."""
    if isinstance(row, FieldRow):
        return row.shown
    return CLIENT_FORMS.get(row.reply, row.reply) if role is Role.CLIENT else row.reply
