"""Where a telephone was."""

from typing import Annotated

from pydantic import Field, JsonValue

from sav_contracts.messages import Message

DOUBLE: dict[str, JsonValue] = {"format": "double"}


class Position(Message):
    """Where a telephone was: degrees (WGS 84), and within how many metres that is right."""

    lat: Annotated[float, Field(ge=-90, le=90, json_schema_extra=DOUBLE)] = Field(examples=[45.764])
    lon: Annotated[float, Field(ge=-180, le=180, json_schema_extra=DOUBLE)] = Field(examples=[4.8357])
    accuracy: Annotated[float, Field(ge=0, le=100_000, json_schema_extra=DOUBLE)] = Field(examples=[12.0])
