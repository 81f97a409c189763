"""Every sentence that a caller may be told, read from the source of all rooms."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from inspect import isfunction
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import NamedTuple

from sav_chassis.errors import FieldError, Invalid, NotYet, NotYetKnown, Problem, SavError
from sav_edge.recognising import Unsuitable
from sav_edge.uploads import UnsupportedMediaType
from sav_ops import rooms

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Whose ValueErrors are told to the caller: those of pydantic's validators, and of the parameters of lists.
VALIDATING = ("sav_contracts.", "sav_edge.listing")
# No refusals themselves: what they say is passed on in one, with this code.
TOLD: dict[type, str] = {Unsuitable: UnsupportedMediaType.code, NotYet: NotYetKnown.code}


class Sentence(NamedTuple):
    """What a caller may be told: the code that it comes with, and its words, with `{}` for what is put in.

    `words` is None where the place only passes on what was said elsewhere: `source` is the expression there.
    """

    code: str
    words: str | None
    source: str


@cache
def modules() -> tuple[ModuleType, ...]:
    """All modules whose errors reach a caller."""
    packages = [import_module(f"sav_{name}") for name in ("contracts", "chassis", *rooms.ROOMS)]
    names = [
        found.name
        for package in packages
        for found in walk_packages(package.__path__, f"{package.__name__}.")
        if ".migrations" not in found.name
    ]
    return tuple(import_module(name) for name in names)


def sentences() -> list[Sentence]:
    """Every sentence that stands in the source of the rooms."""
    return [sentence for module in modules() for sentence in Reader(module).sentences()]


class Reader:
    """Reads what one module tells a caller."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.text = Path(str(module.__file__)).read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        # What is being looked up: `cause = cause or …` leads back to itself.
        self.asked: set[str] = set()

    def sentences(self) -> Iterator[Sentence]:
        yield from self._in(self.tree, (self.tree,))

    def _in(self, node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[Sentence]:
        for child in ast.iter_child_nodes(node):
            inside = (*around, child) if isinstance(child, (ast.ClassDef, *FUNCTIONS)) else around
            if isinstance(child, ast.Call):
                yield from self._said(child, around)
            yield from self._in(child, inside)

    def _said(self, call: ast.Call, around: tuple[ast.AST, ...]) -> Iterator[Sentence]:
        code, text = self._about(call, around)
        if not code or text is None:
            return
        words = self._words(text, around)
        source = ast.get_source_segment(self.text, text) or ""
        if not words:
            yield Sentence(code, None, source)
        for one in words:
            yield Sentence(code, one, source)
        for value in ast.walk(text):
            if isinstance(value, ast.FormattedValue):
                yield from (
                    Sentence(code, one, source) for one in self._words(value.value, around) if " " in one
                )

    def _about(self, call: ast.Call, around: tuple[ast.AST, ...]) -> tuple[str, ast.expr | None]:
        """The code that this call stands for, if it makes an error, and the expression of its text."""
        kind, method = self._called(call.func, around), ""
        if kind is None and isinstance(call.func, ast.Attribute):
            kind, method = self._called(call.func.value, around), call.func.attr
        if kind is None or method not in ("", "field", "__init__"):
            return "", None
        if kind in (FieldError, Problem):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            return Invalid.code, given.get("message") or given.get("detail")
        place = 1 if method == "field" else 0
        text = call.args[place] if len(call.args) > place else None
        # One with words of its own says them where it is made.
        own = getattr(kind, "__init__")  # noqa: B009 – mypy takes the attribute for unsound
        if method == "" and isfunction(own) and own is not SavError.__init__:
            return "", None
        if issubclass(kind, SavError):
            return kind.code, text
        validating = kind is ValueError and self.module.__name__.startswith(VALIDATING)
        return Invalid.code if validating else TOLD.get(kind, ""), text

    def _called(self, callee: ast.expr, around: tuple[ast.AST, ...]) -> type | None:
        """The class that an expression names: by its name, as `cls`, or as `super()`."""
        if isinstance(callee, ast.Call) and isinstance(callee.func, ast.Name) and callee.func.id == "super":
            callee = ast.Name("cls")
        if not isinstance(callee, ast.Name):
            return None
        name = callee.id
        if name == "cls":
            name = next((one.name for one in reversed(around) if isinstance(one, ast.ClassDef)), "")
        found = getattr(self.module, name, {"ValueError": ValueError}.get(name))
        return found if isinstance(found, type) else None

    def _words(self, node: ast.AST | None, around: tuple[ast.AST, ...]) -> list[str]:
        """The words that an expression may have; none where they come from elsewhere."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return [
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
                ]
            case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second]):
                return self._words(first, around) + self._words(second, around)
            case ast.BinOp(left=first, op=ast.Add(), right=second):
                pairs = product(self._words(first, around) or ["{}"], self._words(second, around) or ["{}"])
                return ["".join(pair) for pair in pairs]
            case ast.Subscript(value=whole) | ast.NamedExpr(value=whole):
                return self._words(whole, around)
            case ast.Dict(values=values):
                return [text for value in values for text in self._words(value, around)]
            case ast.Call(func=ast.Attribute(value=table, attr="get")):
                return self._words(table, around)
            case ast.Call(func=ast.Name(id=name)):
                return self._returned(name)
            case ast.Name(id=name):
                return self._named(name, around)
        return []

    def _named(self, name: str, around: tuple[ast.AST, ...]) -> list[str]:
        """What a name was given: in the function around it, or else in the module."""
        if name in self.asked:
            return []
        given: Sequence[ast.AST | None] = []
        for place in reversed(around):
            given = given or [
                node.value
                for node in ast.walk(place)
                if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and _target(node) == name
            ]
            if isinstance(place, FUNCTIONS) and name in [one.arg for one in place.args.args]:
                break
        if given:
            self.asked.add(name)
            words = [text for value in given for text in self._words(value, around)]
            self.asked.remove(name)
            return words
        value = getattr(self.module, name, None)
        values = value.values() if isinstance(value, dict) else [value]
        return [text for text in values if isinstance(text, str)]

    def _returned(self, name: str) -> list[str]:
        made = [one for one in self.tree.body if isinstance(one, FUNCTIONS) and one.name == name]
        nodes = [(node, one) for one in made for node in ast.walk(one) if isinstance(node, ast.Return)]
        return [text for node, one in nodes for text in self._words(node.value, (self.tree, one))]


def _target(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""
