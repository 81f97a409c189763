"""Asking for help on a visit."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.help import AskForHelp, HelpRequested
from sav_interventions.app import interventions
from sav_interventions.model import Intervention


@interventions.command(AskForHelp)
async def ask_for_help(cmd: AskForHelp, tx: Tx, by: Actor) -> Intervention:
    """Ask managers for help on a visit of one's own; they are told at once."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    visit.ask_for_help(cmd.text, tx.now)
    tx.emit(visit, HelpRequested(text=cmd.text))
    return visit
