"""Recording the work of a visit."""

from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.visit import RecordWork, WorkRecorded
from sav_contracts.interventions.work import PartPriced, PartUsed, Work
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words, lines_of
from sav_interventions.model import Intervention
from sav_interventions.safety import tell_reading, with_danger
from sav_interventions.settings import billing
from sav_interventions.tasks import answered, list_tasks

UNPAID = Warranty(decision="not_covered", why="covers_ended")


class OtherCurrency(WrongField):
    name: str
    priced: str
    ours: str
    en = "{name} is priced in {priced}, not in {ours}"
    fr = "le prix de {name} est en {priced}, et non en {ours}"


@interventions.command(RecordWork)
async def record_work(cmd: RecordWork, tx: Tx, by: Actor) -> Intervention:
    """Record what was done, at today's prices and rates."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    law = billing().law
    parts = [await _priced(tx, number, part, law.currency) for number, part in enumerate(cmd.parts)]
    work = Work(
        **cmd.model_dump(exclude={"intervention_id", "labour", "parts", "tasks"}),
        labour=list(cmd.labour),
        parts=parts,
        labour_rate=billing().labour_rate,
        travel_rate=billing().travel_rate,
        currency=law.currency,
    )
    # Checked as if no warranty paid: who pays may still change, and the reaction that bills it has nobody to refuse.
    check_amount(lines_of(work, UNPAID, False, law, "fr"), "parts")
    await list_tasks(intervention, tx)
    before, tasks = intervention.work, answered(intervention.tasks, cmd.tasks)
    work = with_danger(before, work, tx.now.date())
    check_words([work, *tasks])
    intervention.record(work)
    intervention.tasks = tasks
    tx.emit(intervention, WorkRecorded())
    tell_reading(intervention, before, tx)
    return intervention


async def _priced(tx: Tx, number: int, part: PartUsed, currency: Currency) -> PartPriced:
    article = await tx.view(ArticleView, part.article_id)
    if article.currency != currency:
        raise OtherCurrency(
            field=f"parts.{number}.article_id", name=article.name, priced=article.currency, ours=currency
        )
    return PartPriced(
        **part.model_dump(),
        reference=article.reference,
        name=article.name,
        unit_price=article.price,
        vat_class=article.vat_class,
    )
