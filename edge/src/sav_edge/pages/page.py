"""What a small page says and asks: its words in both languages, the fields of its form, and the command that it sends."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from sav_contracts.actor import Role
from sav_contracts.messages import Query, RequestMessage
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, MessageRow

FieldKind = Literal["password", "email", "line", "prose", "tick", "choice", "button"]

# The form's own fields, beside those of its page.
TOKEN, LANGUAGE = "token", "lang"
ROWS = {row.message: row for row in SURFACE if isinstance(row, MessageRow)}


@dataclass(frozen=True)
class Field:
    """A field of a form, with the name that it has in the command.

    `same_as`: it is typed twice against slips, and only compared. `options` are the values of a choice, with their words.
    A `button` has its value from the one that is pressed.
    """

    name: str
    kind: FieldKind
    label: Text
    _: KW_ONLY
    hint: Text | None = None
    required: bool = True
    autocomplete: str = "off"
    least: int | None = None
    most: int | None = None
    options: tuple[tuple[str, Text], ...] = ()
    same_as: str = ""


@dataclass(frozen=True)
class Notice:
    """A page without a form."""

    done: Text
    then: Text
    _: KW_ONLY
    key: str = TOKEN
    template: str = "page.html"
    texts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Page:
    """One page: GET shows its form and changes nothing, POST sends its command.

    Without `linked` it needs no token. `renewed_at` names the page where another link can be asked for. `shows` is asked
    with the token before the form is shown; its reply is what `template` shows beside the form. With `paper` that reply
    names a file as its `document`, which is served to the same link under the page's name with `.pdf`.
    """

    name: str
    message: type[RequestMessage[Any]]
    title: Text
    lead: Text
    button: Text
    done: Text
    then: Text
    fields: tuple[Field, ...] = ()
    linked: bool = True
    # What the link has, by the name of the command's field: a token, or the id of what is nobody's secret.
    key: str = TOKEN
    renewed_at: str = ""
    shows: type[Query[Any]] | None = None
    paper: bool = False
    template: str = "page.html"
    # What the template says.
    texts: Mapping[str, Any] = field(default_factory=dict)
    # The status in the reply with which it is done; with another one its form is shown again, for the next step.
    ends_with: str = ""

    def __post_init__(self) -> None:
        """`TypeError` where its messages are not for everybody, or its form has a field that the command lacks."""
        for message in (self.message, *([self.shows] if self.shows else [])):
            if Role.ANYONE not in ROWS[message].roles:
                raise TypeError(f"/{self.name}: {message.__name__} is not for everybody")
        asked = {each.name for each in self.fields if not each.same_as} | (
            {self.key} if self.linked else set()
        )
        if unknown := asked - self.message.model_fields.keys():
            raise TypeError(f"/{self.name}: {self.message.__name__} has no {', '.join(sorted(unknown))}")

    def field(self, name: str) -> Field:
        """Its field of this name."""
        return next(each for each in self.fields if each.name == name)

    @property
    def names(self) -> set[str]:
        """The names of the fields that people fill in."""
        return {each.name for each in self.fields}
