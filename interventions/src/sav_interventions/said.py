"""When work and reports were said: what telephones tell late never replaces what is newer."""

from datetime import datetime

from sav_chassis.errors import Conflict
from sav_interventions.model import Intervention, Report


class Overtaken(Conflict):
    """Something newer than what was done offline is recorded; that stays."""

    code = "overtaken"
    en = "Something newer than this is recorded, and stays"
    fr = "Des informations plus récentes sont enregistrées et restent en place"


class PaperChanged(Conflict):
    """What the client signed offline, or refused to sign, is no longer what the report says."""

    code = "paper_changed"
    en = "The work or the report was changed after the client saw it: let it be signed again"
    fr = "Le travail ou le rapport a été modifié après que le client l’a vu\N{NO-BREAK SPACE}: faites-le signer de nouveau"


def when_said(at: datetime | None, last: datetime | None, now: datetime) -> datetime:
    """When something was said: now, unless the telephone says otherwise. `Overtaken` where the last is newer than that."""
    if at is None:
        return max(now, last) if last else now
    if last and at < last:
        raise Overtaken
    # The telephone's clock may be a little fast.
    return min(at, now)


def check_seen(visit: Intervention, report: Report, at: datetime) -> None:
    """Refuses a signature, or a refusal of one, from before the paper came to say what it says."""
    if any(since and at < since for since in (visit.work_since, report.reads_since)):
        raise PaperChanged
