"""What a small page says and asks: its words in both languages, the fields of its form, and the command that it sends."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal
from uuid import UUID

from sav_chassis.errors import Malformed
from sav_chassis.identity import Links
from sav_contracts.actor import Role
from sav_contracts.messages import Query, RequestMessage
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, MessageRow

FieldKind = Literal["password", "email", "line", "date", "prose", "tick", "choice", "button", "hidden"]

# The form's own fields, beside those of its page.
TOKEN, LANGUAGE = "token", "lang"
# Drawn when a form that signs somebody in is shown: sent twice, it is done once.
ONCE = "once"
LENGTH_OF_ID = len(str(UUID(int=0)))
ROWS = {row.message: row for row in SURFACE if isinstance(row, MessageRow)}


@dataclass(frozen=True)
class Field:
    """A field of a form, with the name that it has in the command.

    `same_as`: it is typed twice against slips, and only compared. `options` are the values of a choice, with their words.
    A `button` has its value from the one that is pressed; what is `hidden` is in every form as it was shown.
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


CREDENTIALS = (
    Field(
        "email",
        "email",
        Text("Your e-mail address", "Votre adresse e-mail"),
        autocomplete="username",
        most=254,
    ),
    Field(
        "password",
        "password",
        Text("Your password", "Votre mot de passe"),
        autocomplete="current-password",
    ),
    Field(
        "code",
        "line",
        Text("Code of your second factor", "Code de votre second facteur"),
        hint=Text("If you have one.", "Si vous en avez un."),
        required=False,
        autocomplete="one-time-code",
        most=30,
    ),
)


class LinkIncomplete(Malformed):
    en = "This link is incomplete: open it again from our message"
    fr = "Ce lien est incomplet : ouvrez-le de nouveau depuis notre message"


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

    Without `linked` it needs no token. With `signs_in` its command is a signed-in client's: its form asks for the
    `CREDENTIALS`, and whoever they belong to is signed in for this command alone.

    `renewed_at` names the page where another link can be asked for. `shows` is asked
    with the token before the form is shown; its reply is what `template` shows beside the form. `picks` are its further
    fields, for a form that only asks again (GET). With `paper` that reply
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
    signs_in: bool = False
    # What the link has, by the name of the command's field: a token, or the id of what is nobody's secret.
    key: str = TOKEN
    # The command's field for it, where that has another name.
    key_field: str = ""
    # What is said where some of it is missing.
    incomplete: type[Malformed] = LinkIncomplete
    renewed_at: str = ""
    shows: type[Query[Any]] | None = None
    picks: tuple[Field, ...] = ()
    paper: bool = False
    template: str = "page.html"
    # The codes of the refusals that say that it shows what is no more: then it is shown as it is now.
    outdated: tuple[str, ...] = ()
    # What the template says.
    texts: Mapping[str, Any] = field(default_factory=dict)
    # The status in the reply with which it is done; with another one its form is shown again, for the next step.
    ends_with: str = ""

    def __post_init__(self) -> None:
        """`TypeError` where its messages are not for whoever sends them, or its form has a field that the command lacks."""
        for message in (self.message, *([self.shows] if self.shows else [])):
            sender = Role.CLIENT if self.signs_in and message is self.message else Role.ANYONE
            if sender not in ROWS[message].roles:
                raise TypeError(f"/{self.name}: {message.__name__} is not for {sender}")
        asked = {each.name.partition(".")[0] for each in self.sent} | (
            {self.key_field or self.key} if self.linked else set()
        )
        if unknown := asked - self.message.model_fields.keys():
            raise TypeError(f"/{self.name}: {self.message.__name__} has no {', '.join(sorted(unknown))}")
        shown = self.shows.model_fields.items() if self.shows else ()
        if unknown := {each.name for each in self.picks} - {field.alias or name for name, field in shown}:
            raise TypeError(f"/{self.name}: nothing is shown by {', '.join(sorted(unknown))}")

    def is_whole(self, token: str) -> bool:
        """Whether it is as long as what our links have: a token, or an id."""
        return len(token) == (Links.LENGTH if self.key == TOKEN else LENGTH_OF_ID)

    def field(self, name: str) -> Field:
        """Its field of this name."""
        return next(each for each in self.fields if each.name == name)

    @property
    def sent(self) -> tuple[Field, ...]:
        """The fields that its command has: without what is typed twice, and what signs somebody in."""
        return tuple(
            each for each in self.fields if not each.same_as and not (self.signs_in and each in CREDENTIALS)
        )

    @property
    def names(self) -> set[str]:
        """The names of the fields that people fill in."""
        return {each.name for each in (*self.fields, *self.picks)}
