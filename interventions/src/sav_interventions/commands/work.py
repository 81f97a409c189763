"""What was done on a visit."""

from sav_chassis.errors import Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.interventions.visit import PartPriced, PartUsed, RecordWork, Work, WorkRecorded
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.jurisdiction import jurisdiction
from sav_interventions.model import Intervention


@interventions.command(RecordWork)
async def record_work(cmd: RecordWork, tx: Tx, by: Actor) -> Intervention:
    """Describe what was done, at the prices and rates of today."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    currency = jurisdiction(tx.settings.jurisdiction).currency
    parts = [await _priced(tx, number, part, currency) for number, part in enumerate(cmd.parts)]
    intervention.record(
        Work(
            **cmd.model_dump(exclude={"intervention_id", "labour", "parts"}),
            labour=cmd.labour,
            parts=parts,
            labour_rate=tx.settings.labour_rate,
            travel_rate=tx.settings.travel_rate,
            currency=currency,
        )
    )
    tx.emit(WorkRecorded, intervention)
    return intervention


async def _priced(tx: Tx, number: int, part: PartUsed, currency: Currency) -> PartPriced:
    article = await tx.view(ArticleView, part.article_id)
    if article.currency != currency:
        raise Invalid.field(
            f"parts.{number}.article_id", f"{article.name} is priced in {article.currency}, not in {currency}"
        )
    return PartPriced(
        **part.model_dump(),
        reference=article.reference,
        name=article.name,
        unit_price=article.price,
        vat_class=article.vat_class,
    )
