"""Words that occur nowhere, corrected to those that do: in records of these views that the caller may find."""

import re
from collections.abc import Iterator, Mapping, Sequence

import asyncpg

from sav_chassis.visibility import visible
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.visibility import ALL, Rule
from sav_edge.folding import CORRECTABLE, Word
from sav_edge.listed import CLIENTS_WORD

# How many other words are tried, and in how many records they are looked for where the caller sees only some.
MOST = 3
# Behind every letter that a word is made of.
AFTER = "'{'"
RECORDS = 1000

# The views that are searched, and which of their records.
Found = Mapping[type[View], Rule]


async def corrections(pool: asyncpg.Pool, found: Found, searched: Sequence[Word], actor: Actor) -> list[str]:
    """Other texts to search for, the likeliest first; none where every word occurs."""
    parts = [part for word in searched for part in word.parts]
    choices = [await _choices(pool, found, part, actor) for part in parts]
    if choices == [[part] for part in parts]:
        return []
    longest = max(map(len, choices))
    return [" ".join(choice[min(n, len(choice) - 1)] for choice in choices) for n in range(longest)]


async def _choices(pool: asyncpg.Pool, found: Found, part: str, actor: Actor) -> list[str]:
    if not re.fullmatch(CORRECTABLE, part):
        return [part]

    def that(*conditions: str) -> str:
        """The words of which one of these conditions holds; each by its own index."""
        return " UNION ".join(words for one in conditions for words in _words(found, actor.role, one))

    # Bounds, not `^@`: a plan that is made once for all words goes through the index by these only.
    occurs = f"SELECT EXISTS ({that(f'word >= $2 AND word < $2 || {AFTER}')}) AND $1::uuid IS NOT NULL"
    if await pool.fetchval(occurs, actor.id, part):
        return [part]
    # Two letters that changed places make short words unlike. Otherwise the first letter is rarely wrong.
    nearest = f"""
    SELECT word FROM ({that("word = ANY($3::text[])", "word % $2")}) found WHERE $1::uuid IS NOT NULL
    ORDER BY (word = ANY($3))::int * 2 + similarity(word, $2) + (left(word, 1) = left($2, 1))::int * 0.1 DESC, word
    LIMIT {MOST}"""
    return [row[0] for row in await pool.fetch(nearest, actor.id, part, _swapped(part))] or [part]


def _words(found: Found, role: Role, condition: str) -> Iterator[str]:
    """The SQL of the words in records that the reader `$1` finds: nobody learns what stands in others."""
    of_all = [view for view, rule in found.items() if rule == ALL and role is not Role.CLIENT]
    if of_all:
        kinds = ", ".join(f"'{view.kind()}'" for view in of_all)
        yield f"SELECT word FROM word WHERE kind IN ({kinds}) AND {condition}"
    for view, rule in found.items():
        if view not in of_all:
            yield _words_of_some(view, rule, role, condition)


def _words_of_some(view: type[View], rule: Rule, role: Role, condition: str) -> str:
    # As far as clients read others, those are marked.
    mark = f"CASE WHEN found @@ '''{CLIENTS_WORD}''' THEN '{CLIENTS_WORD}' ELSE '' END"
    return f"""
    SELECT word FROM (
        SELECT v.found FROM view v WHERE v.kind = '{view.kind()}' AND {visible(role, rule, "$1")}
        ORDER BY v.created_at DESC, v.id DESC LIMIT {RECORDS}) seen,
        unnest(tsvector_to_array(found)) lexeme, ltrim(lexeme, '{CLIENTS_WORD}') word
    WHERE lexeme ~ ('^' || {mark if role is Role.CLIENT else "''"} || '{CORRECTABLE}$') AND {condition}"""


def _swapped(part: str) -> list[str]:
    return [part[:n] + part[n + 1] + part[n] + part[n + 2 :] for n in range(len(part) - 1)]
