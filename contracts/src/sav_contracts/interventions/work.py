"""The work done on a visit."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.task import CoNotMeasured
from sav_contracts.messages import Line, Message, RecordedLine, Serial
from sav_contracts.money import Amount, Currency, VatClass
from sav_contracts.wrong_value import WrongValue


class Labour(Message):
    """Work in minutes, as recorded."""

    description: RecordedLine = Field(examples=["Remplacement du circulateur, purge et remise en pression"])
    minutes: Annotated[int, Field(ge=1, le=1440)] = Field(examples=[75])


class LabourGiven(Labour):
    """Work in minutes, as a technician enters it."""

    description: Line = Field(examples=["Remplacement du circulateur, purge et remise en pression"])


class PartUsed(Message):
    """A built-in article, with its serial number where it has one, as recorded."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)]
    serial: Annotated[RecordedLine, Field(max_length=60)] | None = Field(default=None, examples=["CIR-2291"])


class PartGiven(PartUsed):
    """A built-in article, as a technician enters it."""

    serial: Serial | None = Field(default=None, examples=["CIR-2291"])


class PartPriced(PartUsed):
    """A used part, with its price when the work was recorded (excluding VAT)."""

    reference: str = Field(examples=["CIR-25-60"])
    name: str = Field(examples=["Circulateur 25-60"])
    unit_price: Amount = Field(examples=["186.40"])
    vat_class: VatClass


class Work(Message):
    """What was found and done on a visit. `labour_rate` per hour and `travel_rate` per kilometre, excluding VAT."""

    # Empty as long as only something that was measured is recorded.
    solution: str = Field(examples=["Circulateur remplacé, circuit purgé, remis en pression."])
    labour: list[Labour]
    parts: list[PartPriced]
    travel_km: Decimal = Field(examples=["12.5"])
    readings: dict[str, str] = Field(examples=[{"Pression": "1,5 bar", "Température de départ": "58 °C"}])
    failed_serial: str | None = Field(examples=["CIR-0417"])
    replacement_serial: str | None = Field(examples=["CIR-2291"])
    labour_rate: Amount = Field(examples=["58.00"])
    travel_rate: Amount = Field(examples=["0.62"])
    currency: Currency
    # Carbon monoxide in the room, or why it was not measured.
    co_ppm: int | None = Field(default=None, examples=[3])
    co_not_measured: CoNotMeasured | None = None

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.labour)


class SolutionMissing(WrongValue):
    code = "solution_missing"
    field = "solution"
    en = "say what was done, or what was measured"
    fr = "indiquez ce qui a été fait, ou ce qui a été mesuré"


class SameSerial(WrongValue):
    code = "same_serial"
    field = "replacement_serial"
    en = "the replacement has another serial number than what failed"
    fr = "la pièce de remplacement porte un autre numéro de série que celle qui est tombée en panne"
