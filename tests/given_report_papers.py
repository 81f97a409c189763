"""Papers of reports that tests start from."""

from datetime import UTC, datetime
from typing import Any

from given_interventions import NOW, report, work

from sav_contracts.catalog.product import Place
from sav_contracts.interventions.report import ReportView
from sav_interventions import report_pdf as papers
from sav_interventions.report_pdf import ReportPaper
from sav_interventions.settings import billing

PLACE = Place(address="3 rue des Lilas", postcode="69003", city="Lyon", access_notes="Code 42B")
DONE_AT = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
SIGNED_AT = datetime(2026, 7, 3, 9, 45, tzinfo=UTC)


def view(**fields: Any) -> ReportView:
    made = report("submitted", **({"submitted_at": NOW, "photos": [], "signature": None} | fields))
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made.view()


def paper(shown: ReportView, **fields: Any) -> ReportPaper:
    usual: dict[str, Any] = {
        "locale": "fr",
        "firm": billing().seller,
        "report": shown,
        "reference": "REC-2026-000100",
        "client": "Léa Martin",
        "technician": "Karim Haddad",
        "place": PLACE,
        "product": "Chaudière murale Lumea 24",
        "serial": "LM-7",
        "purpose": "repair",
        "status": "completed",
        "cause": None,
        "done_at": papers.local(DONE_AT, "Europe/Paris"),
        "signed_at": papers.local(SIGNED_AT, "Europe/Paris"),
        "work": work("V-1"),
    }
    return ReportPaper(**(usual | fields))
