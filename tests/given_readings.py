"""What tests of tasks, readings and attestations start from: Léa's boiler, its article, and visits to it."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import world
from given_interventions import PRODUCT, visit, work
from given_views import a

from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.task import Appliance, Task
from sav_contracts.interventions.visit import InterventionStatus, InterventionView, Purpose
from sav_contracts.interventions.work import Work
from sav_interventions.checklists import tasks_for
from sav_interventions.model import Intervention, Technician

ARTICLE = UUID(int=410)
# It is past midnight in Paris.
DONE = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
SERVICED = date(2026, 3, 5)
BOILER = Appliance(product_id=PRODUCT, kind="boiler", burns=True)
HEAT_PUMP = Appliance(product_id=PRODUCT, kind="heat_pump", burns=False)


def article(**fields: Any) -> ArticleView:
    """A gas boiler of 24 kW."""
    usual: dict[str, Any] = {
        "name": "Chaudière murale Lumea 24",
        "brand": "Lumea",
        "heats": "space_and_water",
    }
    return a(ArticleView, **({"id": ARTICLE} | usual | fields))


def unit(**fields: Any) -> ProductView:
    """Léa's boiler."""
    usual: dict[str, Any] = {
        "article_id": ARTICLE,
        "serial": "LUM24-7431",
        "place": Place(
            address="3 rue des Lilas", postcode="69003", city="Lyon", access_notes="Code 42B, deuxième étage"
        ),
        "purchase_date": date(2025, 1, 10),
        "delivery_date": date(2025, 1, 12),
        "commissioning_date": date(2025, 1, 15),
    }
    return a(ProductView, **({"id": PRODUCT} | usual | fields))


def lea(**fields: Any) -> ClientView:
    usual: dict[str, Any] = {"client_id": world.lea.id, "name": "Léa Bernard"}
    return a(ClientView, **({"id": world.lea.id} | usual | fields))


def karim() -> Technician:
    return Technician(id=world.karim.id, name="Karim Haddad", account_active=True)


def all_done(appliance: Appliance, purpose: Purpose = "maintenance") -> list[Task]:
    return [task.model_copy(update={"done": True}) for task in tasks_for(appliance, purpose)]


def measured(**fields: Any) -> Work:
    """Work without parts, with what was measured."""
    return work().model_copy(update={"parts": []} | fields)


def service(status: InterventionStatus = "in_progress", **fields: Any) -> Intervention:
    """Karim's service of Léa's boiler, all tasks done."""
    usual: dict[str, Any] = {
        "product_id": PRODUCT,
        "purpose": "maintenance",
        "appliance": BOILER,
        "tasks": all_done(BOILER),
        "work": measured(co_ppm=3),
        "cause": None,
    }
    return visit(status, **(usual | fields))


def serviced(version: int = 5, **fields: Any) -> InterventionView:
    """The same when it is completed, as its events show it."""
    usual: dict[str, Any] = {
        "id": UUID(int=200),
        "product_id": PRODUCT,
        "purpose": "maintenance",
        "status": "completed",
        "done_at": DONE,
        "tasks": all_done(BOILER),
        "appliance": BOILER,
        "work": measured(co_ppm=3, readings={"Rendement": "94 %"}),
    }
    return a(InterventionView, version=version, **(usual | fields))
