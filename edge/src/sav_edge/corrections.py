"""Words that occur nowhere, corrected to those that do: in records of these views that the caller sees."""

from collections.abc import Sequence

import asyncpg

from sav_chassis.visibility import visible
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.visibility import ALL
from sav_edge.folding import Word
from sav_edge.listed import CLIENTS_WORD

# Letters below which a word is not corrected, how many others are tried, and in how many records they are looked for
# where the caller sees few.
SHORTEST = 4
MOST = 3
RECORDS = 1000


async def corrections(
    pool: asyncpg.Pool, views: Sequence[type[View]], searched: Sequence[Word], actor: Actor
) -> list[str]:
    """Other texts to search for, the likeliest first; none where every word occurs."""
    occurring = " UNION ALL ".join(_words_of(view, actor.role) for view in views)
    parts = [part for word in searched for part in word.parts]
    choices = [await _choices(pool, occurring, part, actor) for part in parts]
    if choices == [[part] for part in parts]:
        return []
    longest = max(map(len, choices))
    return [" ".join(choice[min(n, len(choice) - 1)] for choice in choices) for n in range(longest)]


def _words_of(view: type[View], role: Role) -> str:
    """The SQL of the words of records that the reader `$1` sees: nobody learns what stands in others."""
    rule = view.visible.to(role)
    if rule == ALL and role is not Role.CLIENT:
        return f"SELECT word FROM word WHERE kind = '{view.kind()}'"
    # As far as clients read others, those are marked.
    mark = f"CASE WHEN found @@ '''{CLIENTS_WORD}''' THEN '{CLIENTS_WORD}' ELSE '' END"
    mark = mark if role is Role.CLIENT else "''"
    return f"""
    SELECT DISTINCT ltrim(lexeme, '{CLIENTS_WORD}') AS word FROM (
        SELECT v.found FROM view v WHERE v.kind = '{view.kind()}' AND {visible(role, rule, "$1")}
        ORDER BY v.created_at DESC, v.id DESC LIMIT {RECORDS}) seen, unnest(tsvector_to_array(found)) lexeme
    WHERE lexeme ~ ('^' || {mark} || '[a-z]{{4,}}$')"""


async def _choices(pool: asyncpg.Pool, occurring: str, part: str, actor: Actor) -> list[str]:
    if len(part) < SHORTEST or not part.isalpha():
        return [part]
    occurs = f"SELECT EXISTS (SELECT FROM ({occurring}) o WHERE word ^@ $2) AND $1::uuid IS NOT NULL"
    if await pool.fetchval(occurs, actor.id, part):
        return [part]
    # Two letters that changed places make short words unlike. Otherwise the first letter is rarely wrong.
    nearest = f"""
    SELECT word FROM ({occurring}) o, LATERAL (SELECT (word = ANY($3))::int * 2 + similarity(word, $2)
        + (left(word, 1) = left($2, 1))::int * 0.1 AS alike) a
    WHERE (word = ANY($3::text[]) OR word % $2) AND $1::uuid IS NOT NULL ORDER BY alike DESC, word"""
    rows = await pool.fetch(nearest, actor.id, part, _swapped(part))
    return list(dict.fromkeys(row[0] for row in rows))[:MOST] or [part]


def _swapped(part: str) -> list[str]:
    return [part[:n] + part[n + 1] + part[n] + part[n + 2 :] for n in range(len(part) - 1)]
