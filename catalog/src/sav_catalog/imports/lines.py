"""A line of a table: what it says of an article, and what is wrong with it."""

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model
from pydantic_core import PydanticCustomError

from sav_catalog.commands.article import OPTIONAL, PartOfItself, check_changes
from sav_catalog.model import Article
from sav_chassis.errors import SavError, WrongField
from sav_chassis.pydantic_messages import meant
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import AddArticle, ArticleStatus, ArticleView, ChangeArticle
from sav_contracts.catalog.article_sheet import COLUMNS, column_of
from sav_contracts.messages import Reference
from sav_contracts.money import Currency, places
from sav_contracts.sentences import Sentence, Text

# Characters of a cell that a fault repeats.
MOST_SHOWN = 200
PARTS = "compatible_parts"
# What a new article has and a change does not take.
FIXED = AddArticle.model_fields.keys() - ChangeArticle.model_fields.keys()
BY_FIELD = {column.field: column for column in COLUMNS}
ORDER = {column.field: number for number, column in enumerate(COLUMNS, 1)}


def _form(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    """A model with these fields, none of which is required."""
    optional: dict[str, Any] = {field: (type_ | None, None) for field, type_ in fields.items()}
    return create_model(name, **optional)


_GIVEN: dict[str, Any] = {name: field.rebuild_annotation() for name, field in AddArticle.model_fields.items()}
_OTHERWISE = {PARTS: Annotated[list[Reference], Field(max_length=50)], "status": ArticleStatus}
_CHECKED = (_GIVEN.keys() | {"status"}) - {PARTS}
# What a line may say: the fields of `AddArticle`, each with its rules, and the status; its parts by their references.
ArticleLine = _form("ArticleLine", _GIVEN | _OTHERWISE)
# The two that a new article's line says otherwise than `AddArticle`.
OtherwiseSaid = _form("OtherwiseSaid", _OTHERWISE)
# What was checked, as it was kept: the same types, without the rules.
CheckedLine = _form("CheckedLine", {name: ArticleView.model_fields[name].annotation for name in _CHECKED})
_REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)
_THREE_PLACES = re.compile(r"-?\d+[.]\d{3}")


class NoSuchColumn(Sentence):
    known: Text
    en = "there is no such column; there are {known}"
    fr = "cette colonne n’existe pas ; il y a {known}"


class ColumnGivenTwice(Sentence):
    name: str
    en = "the column “{name}” says this already"
    fr = "la colonne « {name} » le dit déjà"


class ColumnMissing(Sentence):
    name: Text
    en = "the column {name} is missing"
    fr = "la colonne « {name} » manque"


class NotChangedHere(Sentence):
    now: str
    en = "it is “{now}” and cannot be changed"
    fr = "c’est « {now} », ce qui ne peut pas être modifié"


class ReferenceTwice(Sentence):
    line: int
    en = "line {line} has this reference already"
    fr = "la ligne {line} a déjà cette référence"


class NeverRetired(Sentence):
    en = "an import retires no article, and adds none that is retired"
    fr = "un import ne retire aucun article du catalogue et n’en ajoute aucun qui en soit retiré"


class NoSuchPart(Sentence):
    parts: str
    en = "there is no article {parts}"
    fr = "article introuvable : {parts}"


class Fault(NamedTuple):
    """What is wrong in a column, or (`place` 0) with the whole line. Columns have the names that an export writes."""

    line: int
    place: int
    name: str
    value: str
    why: Text


class Said(NamedTuple):
    """A line as it was read: what is given for each field, what stood there, and which cells could not be read."""

    line: int
    reference: str | None
    given: Mapping[str, Any]
    cells: Mapping[str, str]
    wrong: Mapping[str, Text]


class Checked(NamedTuple):
    """A line's values, and what is wrong with it."""

    values: Mapping[str, Any]
    faults: Sequence[Fault]


class Table:
    """The file as the edge keeps it: see `sav_edge.tables`."""

    def __init__(self, content: bytes, skip: int = 0) -> None:
        """Begins after the names and `skip` lines."""
        self._content = content
        reader = self._reader()
        number, *self.names = next(reader)
        self.line = int(number)
        self.columns = [column_of(name) for name in self.names]
        self._rows = islice(reader, skip, None)

    def _reader(self) -> "Iterator[list[str]]":
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(self._content))
        return csv.reader(io.TextIOWrapper(unpacked, "utf-8", newline=""))

    def count(self) -> int:
        """How many lines there are below the names."""
        return sum(1 for _ in self._reader()) - 1

    def next(self, most: int) -> list[tuple[int, list[str]]]:
        """The following lines, each with its number; none at the end."""
        return [(int(number), cells) for number, *cells in islice(self._rows, most)]

    def faults(self) -> list[Fault]:
        """What is wrong with the names of the columns."""
        found: list[Fault] = []
        seen: dict[str, str] = {}
        for place, (name, column) in enumerate(zip(self.names, self.columns, strict=True), 1):
            if column is None:
                found.append(Fault(self.line, place, name, name, NoSuchColumn(known=_known()).text()))
            elif column.field in seen:
                twice = ColumnGivenTwice(name=seen[column.field])
                found.append(Fault(self.line, place, name, name, twice.text()))
            else:
                seen[column.field] = name
        if not found and "reference" not in seen:
            found.append(Fault(self.line, 0, "", "", ColumnMissing(name=_called("reference")).text()))
        return found

    def read(self, line: int, cells: Sequence[str]) -> Said:
        """What a line says."""
        given: dict[str, Any] = {}
        shown: dict[str, str] = {}
        wrong: dict[str, Text] = {}
        for column, cell in zip(self.columns, cells, strict=True):
            assert column
            shown[column.field] = cell
            try:
                if cell.strip():
                    given[column.field] = column.read(cell)
                elif column.field in OPTIONAL:
                    given[column.field] = None
                elif column.field == PARTS:
                    given[PARTS] = []
            except PydanticCustomError as error:
                wrong[column.field] = meant({"type": error.type, "ctx": error.context})
        reference = None
        try:
            reference = _REFERENCE.validate_python(given.get("reference", ""))
        except ValidationError as error:
            wrong["reference"] = meant(error.errors(include_url=False)[0])
        return Said(line, reference, given, shown, wrong)


def fault(line: int, field: str, cells: Mapping[str, str], why: Text) -> Fault:
    """What is wrong with the cell of a field."""
    column = BY_FIELD.get(field)
    name = column.french[0] if column else field
    return Fault(line, ORDER.get(field, 0), name, cells.get(field, "")[:MOST_SHOWN], why)


def _by_field(error: ValidationError) -> dict[str, Text]:
    return {str((*item["loc"], "")[0]): meant(item) for item in error.errors(include_url=False)}


def _known() -> Text:
    return Text(
        ", ".join(column.field for column in COLUMNS), ", ".join(column.french[0] for column in COLUMNS)
    )


def _called(field: str) -> Text:
    return Text(field, BY_FIELD[field].french[0])


def differences(article: Article, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the line says otherwise than it is; but for its parts, of which it names the references."""
    return {
        name: value for name, value in values.items() if name != PARTS and getattr(article, name) != value
    }


def _unclear(said: Said, currency: Currency) -> dict[str, Text]:
    """Where three digits stand after the only separator, also `1,500`: they are decimals, or thousands."""
    most = {"price": places(currency), "power_kw": 2}
    return {
        field: meant({"type": "decimal_max_places", "ctx": {"decimal_places": decimals}})
        for field, decimals in most.items()
        if decimals < 3 and _THREE_PLACES.fullmatch(said.given.get(field) or "")
    }


def checked_as_new(said: Said) -> Checked:
    """Whether the line can add an article."""
    own = {name: value for name, value in said.given.items() if name not in (PARTS, "status")}
    wrong = {**_unclear(said, said.given.get("currency", "EUR")), **said.wrong}
    values: dict[str, Any] = {}
    try:
        values = _set(AddArticle.model_validate({**own, PARTS: []}))
        del values[PARTS]
    except ValidationError as error:
        wrong = _by_field(error) | wrong
    try:
        others = {name: said.given[name] for name in (PARTS, "status") if name in said.given}
        values |= _set(OtherwiseSaid.model_validate(others)) if others else {}
    except ValidationError as error:
        wrong = _by_field(error) | wrong
    if values.get("status") == "retired":
        wrong["status"] = NeverRetired().text()
    if said.reference in values.get(PARTS, ()):
        wrong[PARTS] = PartOfItself().text()
    return Checked(values, _faults(said, wrong))


def checked_as_known(said: Said, article: Article, parts: Sequence[str], by: Actor) -> tuple[Checked, bool]:
    """Whether the line can change the article with these parts, and whether it would."""
    try:
        values = _set(ArticleLine.model_validate(said.given))
    except ValidationError as error:
        return Checked({}, _faults(said, {**_by_field(error), **said.wrong})), True
    changes = differences(article, values)
    wrong = {**_unclear(said, article.currency), **said.wrong}
    if PARTS in values and values[PARTS] != parts:
        changes[PARTS] = []
        if said.reference in values[PARTS]:
            wrong[PARTS] = PartOfItself().text()
    faults = _faults(said, wrong) or (faults_of_change(said, article, changes, by) if changes else [])
    return Checked(values, faults), bool(changes)


def faults_of_change(said: Said, article: Article, changes: Mapping[str, Any], by: Actor) -> list[Fault]:
    """Why the article may not be changed so."""
    if fixed := [name for name in changes if name in FIXED]:
        return _faults(said, {name: NotChangedHere(now=_shown(article, name)).text() for name in fixed})
    if changes.get("status") == "retired":
        return _faults(said, {"status": NeverRetired().text()})
    try:
        ChangeArticle.model_validate({"article_id": article.id, **changes})
        check_changes(article, changes, by)
    except ValidationError as error:
        return _faults(said, _by_field(error))
    except WrongField as wrong:
        return _faults(said, {wrong.field: wrong.text()})
    except SavError as refusal:
        return [Fault(said.line, 0, "", "", refusal.text())]
    return []


def _set(model: BaseModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.model_fields_set if name != "reference"}


def _faults(said: Said, wrong: Mapping[str, Text]) -> list[Fault]:
    return [fault(said.line, field, said.cells, why) for field, why in wrong.items()]


def _shown(article: Article, field: str) -> str:
    value = getattr(article, field)
    words = BY_FIELD[field].words
    return "" if value is None else words[value][0] if words else str(value)
