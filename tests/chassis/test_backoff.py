"""What is tried again waits longer each time, and not all at once."""

from sav_chassis.backoff import pause


def test_it_doubles_up_to_the_longest_give_or_take_a_fifth() -> None:
    for tries, meant in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (10_000, 3.0)):
        pauses = {pause(tries, 0.5, 3.0) for _ in range(100)}
        assert all(0.8 * meant <= one <= 1.2 * meant for one in pauses)
        assert len(pauses) > 1
