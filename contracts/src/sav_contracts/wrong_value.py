"""The messages of our own validators."""

from typing import ClassVar

from pydantic_core import PydanticCustomError

from sav_contracts.sentences import Sentence


class WrongValue(Sentence, abstract=True):
    """A sentence about a value; pydantic names the field. Use: `raise NoUuid().error()`.

    A validator of a whole message names the field itself: by `field`, or where it raises the error.
    """

    code: ClassVar[str]
    field: ClassVar[str | None] = None

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(abstract)
        if not abstract and "code" not in vars(cls):
            raise TypeError(f"{cls.__qualname__}: it has no code of its own")

    def error(self, field: str | None = None) -> PydanticCustomError:
        """The exception to raise: its type is the code, its context holds both languages and the field, if one is named."""
        named = field or self.field
        context = {**self.text()._asdict(), **({"field": named} if named else {})}
        return PydanticCustomError(self.code, "{en}", context)
