"""Why one item of many was refused, while the others were done."""

from typing import Self

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema


class RefusedField(BaseModel):
    """What is wrong with one field of the item."""

    field: str = Field(examples=["move.cause"])
    message: str = Field(examples=["cause: say why the work stops"])
    # For the edge, which chooses the language.
    french: SkipJsonSchema[str | None] = Field(
        default=None,
        examples=["cause\N{NO-BREAK SPACE}: indiquez pourquoi le travail s’arrête"],
        exclude_if=lambda text: text is None,
    )

    def spoken(self, french: bool) -> Self:
        """In one language."""
        return self.model_copy(update={"message": (french and self.french) or self.message, "french": None})


class Refused(BaseModel):
    """Why one item was not done: what the single command would have been answered."""

    status: int = Field(examples=[409])
    code: str = Field(examples=["illegal_move"])
    detail: str = Field(examples=["intervention: cancelled cannot become accepted"])
    # The moves that are possible instead.
    moves: list[str] | None = Field(default=None, examples=[["en_route", "cancelled"]])
    # What is wrong, field by field.
    errors: list[RefusedField] | None = None
    # For the edge, which chooses the language.
    french: SkipJsonSchema[str | None] = Field(
        default=None,
        examples=["intervention\N{NO-BREAK SPACE}: le passage à l’état « accepté » n’est pas possible"],
        exclude_if=lambda text: text is None,
    )

    def spoken(self, french: bool) -> Self:
        """In one language."""
        detail = (french and self.french) or self.detail
        errors = [error.spoken(french) for error in self.errors] if self.errors else None
        return self.model_copy(update={"detail": detail, "french": None, "errors": errors})


class Outcome(BaseModel):
    """What became of one item of many: `problem` says why it was refused."""

    problem: Refused | None = None

    def spoken(self, french: bool) -> Self:
        """In one language."""
        return self.model_copy(update={"problem": self.problem.spoken(french)}) if self.problem else self
