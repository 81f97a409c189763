"""What commands and queries read as a number or as yes or no: nothing that only looks like one."""

import re
from typing import Any

from pydantic import BaseModel, ValidationInfo
from pydantic_core import PydanticKnownError, SchemaValidator, core_schema

NUMBERS = frozenset({"int", "float", "decimal"})
# As people write them.
PLAIN = {"int": re.compile(r"-?[0-9]+"), "decimal": re.compile(r"-?[0-9]+(\.[0-9]+)?")}
# What may hold the values of a message, beside the schemas of its parts.
NO_SCHEMA = frozenset({"metadata", "serialization", "default", "expected", "config", "cls"})


def plainly(model: type[BaseModel]) -> SchemaValidator:
    """What reads the model and takes nothing for a number that only looks like one."""
    return SchemaValidator(plain_numbers(model.__pydantic_core_schema__), _use_prebuilt=False)


def plain_numbers(schema: Any) -> Any:
    """The schema, where each number refuses booleans (`true` would be 1) and digits with `_` between them (`1_0`).

    A text is a decimal or a whole number only as people write one: no exponent (`1e3`), no plus, no spaces, no digits of
    other scripts. In JSON a boolean is `true` or `false`; a query or a form can only say it in words.
    """
    if isinstance(schema, list | tuple):
        return type(schema)(plain_numbers(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    walked = {name: part if name in NO_SCHEMA else plain_numbers(part) for name, part in schema.items()}
    kind = walked.get("type")
    if kind == "bool":
        return core_schema.with_info_before_validator_function(_boolean, walked)
    if kind not in NUMBERS:
        return walked
    return core_schema.no_info_before_validator_function(_refusing(kind), walked)


def _boolean(given: Any, info: ValidationInfo) -> Any:
    if info.mode == "json" and not isinstance(given, bool):
        raise PydanticKnownError("bool_type")
    return given


def _refusing(kind: str) -> Any:
    plain = PLAIN.get(kind)

    def look(given: Any) -> Any:
        if isinstance(given, bool):
            raise PydanticKnownError(f"{kind}_type")  # type: ignore[arg-type]
        if isinstance(given, str) and ("_" in given or (plain and not plain.fullmatch(given))):
            raise PydanticKnownError(f"{kind}_parsing")  # type: ignore[arg-type]
        return given

    return look
