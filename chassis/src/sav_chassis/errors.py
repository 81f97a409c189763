"""Refusals: a stable code, an HTTP status, a sentence in both languages, and further fields that help the caller."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import SkipJsonSchema

from sav_chassis.pydantic_messages import EMPTY, meant
from sav_chassis.written import spoken
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.sentences import Sentence, Text, filled

# The most wrong fields that an answer lists, and the most characters of their names in its sentence.
MOST_NAMED = 100
LONGEST_NAMES = 290
# The most characters of one field's name, which whoever asks may have made up.
LONGEST_NAME = 100


def _named(error: Mapping[str, Any]) -> str:
    """The field of a pydantic error: where it was raised, and what a validator of the whole message named there."""
    own = (error.get("ctx") or {}).get("field")
    return _name((*error["loc"], own) if isinstance(own, str) else error["loc"])


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class French(BaseModel):
    """The French texts of a problem: `messages` has one for each of its `errors`."""

    detail: str
    messages: list[str] = []


class Problem(BaseModel):
    """A refusal as it is sent: from a service to the edge, and as `application/problem+json` to the caller."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: str
    detail: str
    errors: list[FieldError] | None = None
    moves: list[str] | None = None
    # Times that are free, where the one that was asked for is taken.
    alternatives: list[FreeSlot] | None = None
    retry_after: int | None = None
    # For the edge, which chooses the language. A service of the previous release sends none.
    french: SkipJsonSchema[French | None] = None

    def in_french(self) -> "Problem":
        """The same problem in French, as far as the French texts were sent."""
        if self.french is None:
            return self
        errors = self.errors and [
            FieldError(field=error.field, message=message)
            for error, message in zip(self.errors, self.french.messages, strict=True)
        ]
        return self.model_copy(update={"detail": self.french.detail, "errors": errors})


def where(error: ValidationError) -> str:
    """The dotted names of the wrong fields, for logs. Values are left out: they may be secret."""
    items = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(".".join(map(str, item["loc"])) for item in items)


def _name(place: tuple[int | str, ...]) -> str:
    """A field's dotted name. An error in a dictionary's key is named after that key."""
    return ".".join(str(part) for part in place if part != "[key]")


class SavError(Sentence, Exception, abstract=True):
    """Raised by a rule; rolls the transaction back and becomes the caller's answer.

    A subclass is one refusal, declared next to its rule. It has the status of its base, and the code of its base or its
    own. Four parameters also become fields of the problem: `field` (the wrong field), `retry_after` (seconds), `moves`
    (the states that the record may take) and `alternatives` (times that are free).
    """

    code: ClassVar[str]
    status: ClassVar[int]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(abstract)
        if not abstract and not (hasattr(cls, "code") and hasattr(cls, "status")):
            raise TypeError(f"{cls.__qualname__}: it has no code, or no status")

    def __str__(self) -> str:
        return self.problem.detail

    def text(self) -> Text:
        """The sentence with its parameters inserted: in French, days and amounts as people write them."""
        said = {name: spoken(name, value) for name, value in vars(self).items()}
        return filled(Text(self.en, self.fr), said)

    @cached_property
    def problem(self) -> Problem:
        """The refusal in the form in which it is sent."""
        english, french = self.text()
        wrong = self._fields()
        if name := getattr(self, "field", "")[:LONGEST_NAME]:
            english, french = f"{name}: {english}", f"{name}\N{NO-BREAK SPACE}: {french}"
        return Problem(
            status=self.status,
            code=self.code,
            detail=english,
            errors=[FieldError(field=name[:LONGEST_NAME], message=text.en) for name, text in wrong] or None,
            moves=getattr(self, "moves", None),
            alternatives=list(getattr(self, "alternatives", ())) or None,
            retry_after=getattr(self, "retry_after", None),
            french=French(detail=french, messages=[text.fr for _, text in wrong]),
        )

    def _fields(self) -> Sequence[tuple[str, Text]]:
        """The wrong fields, each with its message."""
        name = getattr(self, "field", None)
        return [(name, self.text())] if name else []


class Fault(SavError):
    """The fault is ours, not the caller's: the cause is in the log."""

    code = "internal"
    status = 500
    en = "Something went wrong on our side; it is logged"
    fr = "Une erreur s’est produite de notre côté ; elle est consignée"


class Malformed(SavError, abstract=True):
    """The request is not in the format that it declares."""

    code = "malformed"
    status = 400


class NotSignedIn(SavError, abstract=True):
    """There is no valid token."""

    code = "not_signed_in"
    status = 401


class SessionOver(NotSignedIn):
    en = "The session has ended"
    fr = "La session est terminée"


class NotAllowed(SavError, abstract=True):
    """The caller may see the record, but may not do this."""

    code = "not_allowed"
    status = 403


class NotFound(SavError, abstract=True):
    """There is no such record, or none that the caller may see."""

    code = "not_found"
    status = 404


class NoSuch(NotFound):
    kind: Text
    id: UUID
    en = "There is no {kind} {id}"
    fr = "{kind} introuvable : {id}"


class Conflict(SavError, abstract=True):
    """The record's state, or somebody else's change, prevents this."""

    code = "conflict"
    status = 409


class IllegalMove(SavError):
    """The record's state does not allow this move."""

    code = "illegal_move"
    status = 409
    kind: Text
    now: Text
    wanted: Text
    moves: list[str]
    en = "{kind}: {now} cannot become {wanted}"
    fr = "{kind} : le passage de l’état « {now} » à l’état « {wanted} » n’est pas possible"


class MovedAlready(IllegalMove):
    """The same move once more: nothing is wrong with the record."""

    en = "{kind}: {now} already"
    fr = "{kind} : déjà à l’état « {now} »"


class ChangedSince(SavError, abstract=True):
    """The record has changed since the version that the caller knows (`If-Match`)."""

    code = "changed_since"
    status = 412


class AnotherVersion(ChangedSince):
    kind: Text
    version: int
    en = "The {kind} has changed: it is in version {version}"
    fr = "{kind} : modification entre-temps, la version est maintenant {version}"


class AnotherRecord(ChangedSince):
    en = "If-Match names another record than this changes"
    fr = "If-Match nomme un autre enregistrement que celui qui est modifié ici"


class TooLarge(SavError, abstract=True):
    """The request is larger than allowed."""

    code = "too_large"
    status = 413


class RecordTooLarge(TooLarge):
    kind: Text
    largest: int
    en = "The {kind} would be larger than {largest} bytes: shorten it"
    fr = "L’enregistrement ({kind}) dépasserait {largest} octets : soyez plus bref"


class Invalid(SavError, abstract=True):
    """The request does not have the right shape, or names something that does not exist."""

    code = "invalid"
    status = 422


class WrongField(Invalid, abstract=True):
    """One field is wrong. `field` is `body` where the sentence is about the whole request."""

    field: str


class NamesNothing(WrongField):
    kind: Text
    id: UUID
    en = NoSuch.en
    fr = NoSuch.fr


class NothingToChange(WrongField):
    field: str = "body"
    en = "say what to change"
    fr = "indiquez ce qu’il faut modifier"


class Empty(WrongField):
    en = EMPTY.en
    fr = EMPTY.fr


class WrongFields(Invalid):
    """Everything that is wrong with a request, field by field. The lists are cut, so that the answer stays small."""

    names: str
    wrong: list[tuple[str, Text]]
    en = "wrong: {names}"
    fr = "à corriger : {names}"

    @classmethod
    def of(cls, wrong: Sequence[tuple[str, Text]]) -> Self:
        """From dotted field names, each with its message."""
        names = ", ".join(name for name, _ in wrong)
        return cls(names=names[:LONGEST_NAMES], wrong=list(wrong[:MOST_NAMED]))

    @classmethod
    def each(cls, wrong: Iterable[WrongField]) -> Self:
        """From several refusals of one field each."""
        return cls.of([(one.field, one.text()) for one in wrong])

    @classmethod
    def from_pydantic(cls, error: ValidationError, within: str = "") -> Self:
        """From pydantic's error: every wrong field. Values are not repeated, since they may be secret."""
        items = error.errors(include_url=False, include_input=False)
        return cls.of([(within + (_named(item) or "body"), meant(item)) for item in items])

    def _fields(self) -> Sequence[tuple[str, Text]]:
        return self.wrong


class KeyReused(SavError):
    """The idempotency key was used with another body."""

    code = "key_reused"
    status = 422
    en = "This Idempotency-Key was used with another request"
    fr = "Cette Idempotency-Key a servi pour une autre requête"


class TooMany(SavError, abstract=True):
    """The caller has to wait for `retry_after` seconds."""

    status = 429
    retry_after: int


class Unavailable(SavError, abstract=True):
    """The owner cannot be reached now; nothing was done."""

    code = "unavailable"
    status = 503
    retry_after: int = 2


class NotYetKnown(SavError, abstract=True):
    """A record that the request refers to has not arrived here yet."""

    code = "not_yet_known"
    status = 503
    retry_after: int = 2


class DeadlinePassed(SavError, abstract=True):
    """No answer in time. Whether it was done is unknown: repeat with the same idempotency key."""

    code = "outcome_unknown"
    status = 504


class NotYet(Exception):
    """A record that another service owns, or an event about it, has not arrived here yet.

    `otherwise` is the refusal for the caller where it does not arrive within the time that a command waits for it.
    """

    def __init__(self, kind: str, id: UUID, otherwise: SavError | None = None) -> None:
        super().__init__(f"{kind} {id} is not known here yet")
        self.kind = kind
        self.id = id
        self.otherwise = otherwise


class TryLater(Exception):
    """Raised by an effect or a timer to be tried again later. It is expected, so it is logged without a traceback."""


class RecordedRefusal:
    """Returned by a handler that must record a refusal: rows and events are committed, and `error` is the answer."""

    def __init__(self, error: SavError) -> None:
        self.error = error
