"""One person's name is kept in two places: whatever happens in whatever order, both end with the same."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from sav_chassis.shared_fields import change, follow

SIDES = ("account", "profile")
# A change of one side, or that it hears so much of what the other has told, so often.
CHANGES = st.tuples(st.sampled_from(SIDES), st.sampled_from(["name", "locale"]), st.sampled_from("abc"))
NEWS = st.tuples(st.sampled_from(SIDES), st.integers(1, 3), st.integers(1, 2))


class Both:
    """Account and profile, what each has told, and how much of it the other has heard."""

    def __init__(self, account: str, profile: str) -> None:
        self.sides = {side: made(name) for side, name in zip(SIDES, (account, profile), strict=True)}
        self.told = {side: [copy_of(self.sides[side])] for side in SIDES}
        self.heard = dict.fromkeys(SIDES, 0)

    def change(self, side: str, field: str, value: str) -> None:
        if change(self.sides[side], {field: value}):
            self.told[side].append(copy_of(self.sides[side]))

    def hear(self, side: str, many: int = 1, times: int = 1) -> None:
        """In the order in which the other told it; each as often as it comes."""
        [other] = (one for one in SIDES if one != side)
        for news in self.told[other][self.heard[side] : self.heard[side] + many]:
            self.heard[side] += 1
            for _ in range(times):
                if follow(self.sides[side], news, yields=side == "profile"):
                    self.told[side].append(copy_of(self.sides[side]))

    def settle(self) -> None:
        for _ in range(100):
            if all(self.heard[side] == len(self.told[other]) for side, other in (SIDES, SIDES[::-1])):
                return
            for side in SIDES:
                self.hear(side)
        raise AssertionError("they tell each other the same for ever")


def made(name: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, locale="fr", name_edition=0, locale_edition=0)


def copy_of(side: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**vars(side))


@given(st.sampled_from("ab"), st.sampled_from("ab"), st.lists(CHANGES | NEWS, max_size=14))
def test_both_end_with_the_same_name_and_language(
    account: str, profile: str, happens: list[tuple[str, str, str] | tuple[str, int, int]]
) -> None:
    both = Both(account, profile)
    for side, *what in happens:
        if isinstance(what[0], str):
            both.change(side, *what)
        else:
            both.hear(side, *what)
    both.settle()
    assert both.sides["account"] == both.sides["profile"]


@given(st.sampled_from(SIDES), st.lists(st.sampled_from(SIDES), max_size=6))
def test_the_last_change_that_knew_of_the_others_stands(last: str, sides: list[str]) -> None:
    both = Both("a", "a")
    for number, side in enumerate([*sides, last]):
        both.change(side, "name", str(number))
        both.settle()
    assert {side.name for side in both.sides.values()} == {str(len(sides))}


def test_a_change_of_the_language_undoes_no_change_of_the_name() -> None:
    both = Both("a", "a")
    both.change("account", "name", "b")
    both.change("profile", "locale", "en")
    both.settle()
    assert [(side.name, side.locale) for side in both.sides.values()] == [("b", "en")] * 2


def test_of_two_changes_at_once_the_accounts_stands_in_both() -> None:
    both = Both("a", "a")
    both.change("profile", "name", "p")
    both.change("account", "name", "q")
    both.settle()
    assert {side.name for side in both.sides.values()} == {"q"}
