"""Errors that a caller can be told: a stable code, an HTTP status, a sentence, and what else helps."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as it travels: from a service to the edge, and as `application/problem+json` to the caller."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: str
    detail: str
    errors: list[FieldError] | None = None
    moves: list[str] | None = None
    retry_after: int | None = None


def where(error: ValidationError) -> str:
    """The wrong fields by their dotted names, for logs; their values may be secret."""
    items = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(".".join(map(str, item["loc"])) for item in items)


class SavError(Exception):
    """Raised by a rule; rolls the transaction back and becomes the caller's answer."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.problem = Problem(status=self.status, code=self.code, detail=detail, **more)


class Invalid(SavError):
    """The request does not have the right shape or names what does not exist."""

    code = "invalid"
    status = 422

    @classmethod
    def from_pydantic(cls, error: ValidationError) -> "Invalid":
        """Every wrong field by its dotted name; the values are not repeated, they may be secret."""
        errors = [
            FieldError(field=".".join(str(part) for part in item["loc"]) or "body", message=item["msg"])
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return cls.fields(errors)

    @classmethod
    def fields(cls, errors: list[FieldError]) -> "Invalid":
        return cls(f"wrong: {', '.join(error.field for error in errors)}"[:300], errors=errors)

    @classmethod
    def field(cls, name: str, message: str) -> "Invalid":
        return cls(f"{name}: {message}", errors=[FieldError(field=name, message=message)])


class NotSignedIn(SavError):
    """There is no valid token."""

    code = "not_signed_in"
    status = 401


class NotAllowed(SavError):
    """The record is visible to the caller, the act is not theirs."""

    code = "not_allowed"
    status = 403


class NotFound(SavError):
    """There is no such record, or none that the caller may see."""

    code = "not_found"
    status = 404


class IllegalMove(SavError):
    """The record is in a state that this act does not start from."""

    code = "illegal_move"
    status = 409

    def __init__(self, kind: str, now: str, wanted: str, legal: Sequence[str]) -> None:
        super().__init__(f"{kind}: {now} cannot become {wanted}", moves=list(legal))


class TooLarge(SavError):
    """The request is larger than any that is meant."""

    code = "too_large"
    status = 413


class Conflict(SavError):
    """Somebody else holds what was asked for."""

    code = "conflict"
    status = 409


class ChangedSince(SavError):
    """The record is not in the version any more that the caller knows (`If-Match`)."""

    code = "changed_since"
    status = 412


class KeyReused(SavError):
    """The idempotency key was used with another body."""

    code = "key_reused"
    status = 422


class Unavailable(SavError):
    """The owner cannot be reached just now; nothing was done."""

    code = "unavailable"
    status = 503


class DeadlinePassed(SavError):
    """No answer in time. Whether it was done is unknown: repeat with the same idempotency key."""

    code = "outcome_unknown"
    status = 504


class NotYetKnown(SavError):
    """What the caller refers to is still on its way here."""

    code = "not_yet_known"
    status = 503


class NotYet(Exception):
    """A record that another service owns, or news of it, has not arrived here yet.

    `otherwise` is what a caller is told where it does not arrive within the patience for foreign records.
    """

    def __init__(self, kind: str, id: UUID, otherwise: SavError | None = None) -> None:
        super().__init__(f"{kind} {id} is not known here yet")
        self.kind = kind
        self.id = id
        self.otherwise = otherwise


class TryLater(Exception):
    """Raised by an effect or a timer that wants another try later: expected, so it is logged without a traceback."""


class Refused:
    """Returned by a handler that must record a refusal: rows and events commit, `error` is the answer."""

    def __init__(self, error: SavError) -> None:
        self.error = error
