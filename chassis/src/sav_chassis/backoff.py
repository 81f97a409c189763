"""The one back-off for everything that is tried again."""

import random


def pause(tries: int, first: float = 0.1, longest: float = 2.0) -> float:
    """Seconds to wait after so many tries: `first` after one, doubling up to `longest`.

    Varied by up to a fifth either way, so that callers who failed together do not retry together.
    """
    return min(first * 2.0 ** min(tries - 1, 30), longest) * random.uniform(0.8, 1.2)
