"""What a saved filter may choose: the query parameters of a list, as the surface declares them."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from pydantic import TypeAdapter, ValidationError

from sav_chassis.errors import WrongField, WrongFields
from sav_chassis.pydantic_messages import meant
from sav_contracts.actor import Role
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, ListRow
from sav_contracts.times import EndsBeforeFrom, Moment

TIMES = ("created_from", "created_to")
INTERVAL = ("from", "to")
LONGEST_SEARCH = 200
TWICE = Text("given more than once", "donné plusieurs fois")


class NoSuchList(WrongField):
    field: str = "list"
    lists: str
    en = "there is no such list; there are {lists}"
    fr = "cette liste n’existe pas ; il y a {lists}"


class NotOfThisList(WrongField):
    field: str = "query"
    name: str
    known: str
    en = "{name}: the list has no such parameter; it has {known}"
    fr = "{name} : la liste n’a pas ce paramètre ; elle a {known}"


class WrongChoice(WrongField):
    field: str = "query"
    name: str
    why: Text
    en = "{name}: {why}"
    fr = "{name} : {why}"


class NotSortable(WrongField):
    field: str = "query"
    sorts: str
    en = "sort: one of {sorts}, with a minus in front for descending"
    fr = "sort : l’une de ces valeurs : {sorts}, précédée d’un moins pour l’ordre décroissant"


class HoldsNul(WrongField):
    field: str = "query"
    name: str
    en = "{name}: no NUL characters"
    fr = "{name} : pas de caractères NUL"


class SearchTooLong(WrongField):
    field: str = "query"
    most: int = LONGEST_SEARCH
    en = "q: at most {most} characters"
    fr = "q : au plus {most} caractères"


def list_of(path: str, role: Role) -> ListRow:
    """The list at this path; `NoSuchList` where this role has none there."""
    lists = {
        row.path: row
        for row in SURFACE
        if isinstance(row, ListRow) and role in row.roles and "{" not in row.path
    }
    if path not in lists:
        raise NoSuchList(lists=", ".join(sorted(lists)))
    return lists[path]


def choices(row: ListRow) -> list[str]:
    """The parameters that choose and order the records of a list; not those that turn its pages."""
    search = ["q"] if row.search else []
    return [*row.filters, *search, *(INTERVAL if row.has_interval else ()), *row.bounds(), "sort", *TIMES]


def checked(row: ListRow, query: str) -> str:
    """The query string as it is kept; `WrongFields` names every parameter that the list refuses."""
    given = parse_qsl(query, keep_blank_values=True)
    wrong = [refusal for name, value in given if (refusal := _refusal(row, name, value))]
    names = [name for name, _ in given]
    single = set(choices(row)) - {*row.filters, "q"}
    wrong += [WrongChoice(name=name, why=TWICE) for name in sorted(single) if names.count(name) > 1]
    wrong = wrong or [*_ending_before(row, dict(given))]
    if wrong:
        raise WrongFields.each(wrong)
    return urlencode(given)


def _ending_before(row: ListRow, given: Mapping[str, str]) -> Iterator[WrongField]:
    for since, until in row.periods():
        if since in given and until in given:
            start, end = map(TypeAdapter(Moment).validate_python, (given[since], given[until]))
            if end < start:
                yield WrongChoice(name=until, why=EndsBeforeFrom(since=since).text())


def _refusal(row: ListRow, name: str, value: str) -> WrongField | None:
    known: Sequence[str] = choices(row)
    if name not in known:
        return NotOfThisList(name=name[:100], known=", ".join(known))
    if "\0" in value:
        return HoldsNul(name=name)
    if name == "sort":
        return None if value.removeprefix("-") in row.sorts else NotSortable(sorts=", ".join(row.sorts))
    if name == "q" and name not in row.filters:
        return SearchTooLong() if len(value) > LONGEST_SEARCH else None
    form = row.message.filter_type(name) if name in row.filters else Moment
    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError as error:
        return WrongChoice(name=name, why=meant(error.errors(include_url=False)[0]))
    return None
