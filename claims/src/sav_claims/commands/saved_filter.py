"""The filters that managers and admins keep."""

from sqlalchemy import func, select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.list_choices import checked, list_of
from sav_claims.writing import SavedFilter
from sav_contracts.actor import Actor
from sav_contracts.auth.account import Accepted
from sav_contracts.claims.saved_filter import (
    MOST_FILTERS,
    FilterRemoved,
    FilterSaved,
    RemoveFilter,
    SaveFilter,
)


class TooManyFilters(Conflict):
    """Somebody has as many saved filters as they may have."""

    code = "too_many_filters"
    most: int = MOST_FILTERS
    en = "You have {most} saved filters already: remove one first"
    fr = "Vous avez déjà {most} filtres enregistrés : supprimez-en un d’abord"


@claims.command(SaveFilter)
async def save_filter(cmd: SaveFilter, tx: Tx, by: Actor) -> SavedFilter:
    """Keep a filter under its name. The same filter again changes nothing."""
    query = checked(list_of(cmd.list, by.role), cmd.query)
    await tx.lock(f"filters {by.id}")
    own = SavedFilter.user_id == by.id
    kept = await tx.first(select(SavedFilter).where(own, SavedFilter.folded == cmd.name.casefold()))
    if kept and (kept.name, kept.list, kept.query) == (cmd.name, cmd.list, query):
        return kept
    if kept is None:
        count = await tx.session.scalar(select(func.count()).select_from(SavedFilter).where(own))
        if (count or 0) >= MOST_FILTERS:
            raise TooManyFilters
        kept = tx.add(SavedFilter(id=tx.new_id(), user_id=by.id, folded=cmd.name.casefold()))
    kept.name, kept.list, kept.query = cmd.name, cmd.list, query
    tx.emit(kept, FilterSaved())
    return kept


@claims.command(RemoveFilter)
async def remove_filter(cmd: RemoveFilter, tx: Tx, by: Actor) -> Accepted:
    """Remove one's own filter: from then on it belongs to nobody."""
    kept = await tx.load(SavedFilter, cmd.saved_filter_id, by)
    kept.user_id = None
    tx.emit(kept, FilterRemoved())
    return Accepted()
