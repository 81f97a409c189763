"""Searches in very many réclamations: frequent and rare words, old ones, misspelled ones, none; beside ILIKE."""

import random
from functools import partial

import asyncpg
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from lists import MANY, ROW, milliseconds
from many import MANAGER, OLD_WORD, SEED, Vocabulary, many

from sav_chassis.settings import Settings
from sav_edge.read_model import ReadModel

ASKED = 40
ILIKE = "ILIKE, 1,000,000"
SLOWEST = "all, p99 ms"
KINDS = ("frequent", "rare", "serial number", "in old ones only", "misspelled", "no hit")
AIMS = (
    *(Aim(f"{kind}, p50 ms", 15, "most") for kind in KINDS),
    Aim(SLOWEST, 60, "most"),
    *(
        Aim(f"{kind}, p50 ms", 0.1, "most", against=ILIKE)
        for kind in ("rare", "in old ones only", "misspelled", "no hit")
    ),
)
WRITTEN = "concat_ws(' ', reference, article, description) ILIKE ALL ($1::text[])"


def texts(kind: str, chance: random.Random, vocabulary: Vocabulary) -> list[str]:
    words = {
        "frequent": vocabulary.words[:50],
        "rare": vocabulary.words[-5000:],
        "serial number": [f"LUM24-{chance.randrange(1, MANY // 5):07}" for _ in range(ASKED)],
        "in old ones only": [OLD_WORD, f"{OLD_WORD} {vocabulary.words[0]}"],
        "misspelled": [swapped(word) for word in vocabulary.words[200:400] if len(word) > 6],
        "no hit": ["xyzzyxyz", "REC-1999-000001", "qqqqq wwwww"],
    }[kind]
    return chance.choices(words, k=ASKED)


def swapped(word: str) -> str:
    return word[:2] + word[3] + word[2] + word[4:]


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds for the first page of a search, as the read model answers it to a manager."""
    async with many(settings, MANY) as pool:
        measured = await interleaved(
            "Searches in 1,000,000 réclamations",
            [Contender("SAV", partial(ours, pool)), Contender(ILIKE, partial(ilike, pool))],
            AIMS,
            rounds,
        )
    measured.notes.append(
        f"{ASKED} searches of each kind ({ASKED // 10} by ILIKE). Ours looks into reference, article, description and the names "
        "of 200,000 clients, ignores case and accents, and corrects what occurs nowhere; ILIKE does none of this, and finds "
        "nothing for a misspelled word."
    )
    return measured


async def ours(pool: asyncpg.Pool) -> Figures:
    read = ReadModel(pool)

    async def ask(text: str) -> str:
        return await read.page(ROW, {}, {"q": [text]}, MANAGER)

    chance, vocabulary = random.Random(SEED), Vocabulary.made(random.Random(SEED))
    taken = {
        kind: [await milliseconds(ask, text) for text in texts(kind, chance, vocabulary)] for kind in KINDS
    }
    return {f"{kind}, p50 ms": percentile(times, 0.5) for kind, times in taken.items()} | {
        SLOWEST: percentile([time for times in taken.values() for time in times], 0.99)
    }


async def ilike(pool: asyncpg.Pool) -> Figures:
    async def ask(text: str) -> None:
        statement = f"SELECT doc FROM plain WHERE {WRITTEN} ORDER BY created_at DESC, id DESC LIMIT 51"
        await pool.fetch(statement, [f"%{word}%" for word in text.split()])

    chance, vocabulary = random.Random(SEED), Vocabulary.made(random.Random(SEED))
    taken = {
        kind: [await milliseconds(ask, text) for text in texts(kind, chance, vocabulary)[: ASKED // 10]]
        for kind in KINDS
    }
    return {f"{kind}, p50 ms": percentile(times, 0.5) for kind, times in taken.items()} | {
        SLOWEST: percentile([time for times in taken.values() for time in times], 0.99)
    }
