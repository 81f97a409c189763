"""The tasks of a visit follow what it is about; some must be answered before it is completed."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.servicing import burns, kind_of
from sav_contracts.interventions.task import Appliance, Task, TaskGiven
from sav_contracts.interventions.visit import Purpose
from sav_contracts.labels import choices
from sav_contracts.sentences import Text
from sav_interventions.checklists import tasks_for
from sav_interventions.lifecycle import OVER
from sav_interventions.model import Intervention
from sav_interventions.stopped import stopped_before

# Visits that are only completed once every task was answered.
ANSWERED: Collection[Purpose] = ("maintenance", "install")
IN_WORDS = Appliance(product_id=None, kind="other", burns=False)


class NoSuchTask(WrongField):
    task: str
    en = "the visit has no task {task}"
    fr = "l’intervention n’a pas de tâche « {task} »"


class TwiceTheSameTask(WrongField):
    task: str
    en = "task {task} is answered twice"
    fr = "la tâche « {task} » a deux réponses"


class TasksOpen(Conflict):
    """Each task of a service or an installation is done, or it is said why not; the detail names the open ones."""

    code = "tasks_open"
    tasks: Text
    en = "Say of each task whether it was done, or why not: {tasks}"
    fr = "Indiquez pour chaque tâche si elle a été faite, ou pourquoi elle ne l’a pas été : {tasks}"


@settles(Intervention)
async def list_tasks(visit: Intervention, tx: Tx) -> None:
    """Lists the tasks of a visit that is not over, once it is known what it is about, and again when that changes.

    Where the copies of its unit and article have not arrived, the next event of the visit lists them.
    """
    if visit in tx.session.new:
        await tx.flush()  # the defaults of its row are there from then on
    listed = visit.appliance is not None and visit.appliance.product_id == visit.product_id
    if listed or visit.status in OVER:
        return
    appliance = await known_appliance(tx, visit.product_id)
    if appliance:
        visit.appliance = appliance.model_copy(update={"stopped": await stopped_before(visit, tx)})
        visit.tasks = tasks_for(appliance, visit.purpose, visit.tasks or ())


async def known_appliance(tx: Tx, product_id: UUID | None) -> Appliance | None:
    """What kind of appliance a visit is about; None while that is not known here."""
    if product_id is None:
        return IN_WORDS
    product = await tx.copies(ProductView).one(product_id)
    article = await tx.copies(ArticleView).one(product.article_id) if product else None
    if article is None:
        return None
    return Appliance(product_id=product_id, kind=kind_of(article), burns=burns(article))


def answered(tasks: Sequence[Task], given: Sequence[TaskGiven]) -> list[Task]:
    """The tasks with what is said of them; the others are open. `WrongField` names one that is wrong."""
    said: dict[str, TaskGiven] = {}
    known = {task.code for task in tasks}
    for number, one in enumerate(given):
        if one.code not in known:
            raise NoSuchTask(field=f"tasks.{number}.code", task=one.code)
        if one.code in said:
            raise TwiceTheSameTask(field=f"tasks.{number}.code", task=one.code)
        said[one.code] = one
    return [
        task.model_copy(
            update={
                "done": said[task.code].done if task.code in said else None,
                "reason": said[task.code].reason if task.code in said else None,
            }
        )
        for task in tasks
    ]


def check_answered(visit: Intervention) -> None:
    """Raises `TasksOpen` where a service or an installation has a task of which nothing was said."""
    still_open = [task for task in visit.tasks or () if task.done is None]
    if visit.purpose in ANSWERED and still_open:
        english = ", ".join(f"“{task.text.en}” ({task.code})" for task in still_open)
        french = choices({task.code: task.text.fr for task in still_open}).fr
        raise TasksOpen(tasks=Text(english, french))
