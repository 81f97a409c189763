"""Sentences for people, in English and French, with parameters."""

from dataclasses import dataclass
from inspect import signature
from string import Formatter
from typing import Any, ClassVar, NamedTuple, dataclass_transform


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    fr: str


@dataclass_transform(kw_only_default=True, eq_default=False)
class Sentence:
    """A sentence in both languages. Its fields are its parameters, in braces in `en` and `fr`.

    A `Text` parameter is inserted in the reader's language. Other values are inserted unchanged: what people typed is
    never translated or read as a template. `TypeError` when a class lacks a language, or one of both lacks a parameter.
    """

    en: ClassVar[str]
    fr: ClassVar[str]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        dataclass(kw_only=True, eq=False, repr=False)(cls)
        said = {"en", "fr"} & set(vars(cls))
        if len(said) == 1 or not (abstract or (hasattr(cls, "en") and hasattr(cls, "fr"))):
            raise TypeError(f"{cls.__qualname__}: say it in `en` and in `fr`")
        if said:
            check(cls.__qualname__, Text(cls.en, cls.fr), set(signature(cls).parameters))

    def text(self) -> Text:
        """The sentence with its parameters inserted."""
        return filled(Text(self.en, self.fr), vars(self))

    def __str__(self) -> str:
        return self.text().en


def check(name: str, template: Text, known: set[str] | None = None) -> None:
    """`TypeError` where a language is empty, the two differ in parameters, or a parameter is not among `known`."""
    english, french = map(_parameters, template)
    if not all(template) or english != french or not english <= (english if known is None else known):
        raise TypeError(f"{name}: `en` and `fr` have to say the same: {template.en!r}, {template.fr!r}")


def filled(template: Text, parameters: dict[str, Any]) -> Text:
    """The template with the parameters inserted."""
    chosen = [
        {name: value[place] if isinstance(value, Text) else value for name, value in parameters.items()}
        for place in range(len(template))
    ]
    return Text(*(said.format_map(given) for said, given in zip(template, chosen, strict=True)))


def _parameters(template: str) -> set[str]:
    # With a format of its own (`{day:%d}`) a name is none that is known: what is inserted is a text by then.
    parsed = Formatter().parse(template)
    return {f"{name}{':' if form else ''}{form}" for _, name, form, _ in parsed if name is not None}
