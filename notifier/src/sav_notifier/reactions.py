"""One reaction for each event and stored name. It queues all messages declared for them, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence

from sav_chassis.service import ReactionFunction, modules
from sav_chassis.tx import Tx
from sav_contracts.auth.account import RoleAssigned, UserDeactivated
from sav_contracts.messages import Event
from sav_notifier.app import notifier
from sav_notifier.message import MESSAGES, Message
from sav_notifier.queueing import queue_message


def _reaction(name: str, chosen: Sequence[type[Message]]) -> ReactionFunction:
    async def react(event: Event, tx: Tx) -> str | None:
        # All messages are built before any is queued, so that none counts as already sent for the others.
        written = [await each.about(event, tx) for each in chosen]
        reasons = [
            each if isinstance(each, str) else await queue_message(tx, event, each) for each in written
        ]
        return "; ".join(filter(None, reasons)) if all(reasons) else None

    react.__name__ = name
    return react


def _register() -> None:
    modules("sav_notifier.messages")
    together = defaultdict[tuple[type[Event], str, str | None], list[type[Message]]](list)
    for each in MESSAGES.values():
        for event, name in each.declared.reactions.items():
            together[event, name, each.declared.since].append(each)
    for (event, name, since), chosen in together.items():
        notifier.on(event, since=since)(_reaction(name, chosen))


_register()
# Now told by the technician's card, which managers change too.
notifier.retire("tell_who_left", UserDeactivated, RoleAssigned)
