"""The lines of a parts list: what a repair needs of which article."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Message
from sav_contracts.money import Percent

PartState = Literal["listed", "validated", "reserved", "back_ordered", "used", "released"]

# Lines of a parts list.
MOST_PARTS = 40


class PartForClient(Message):
    """A line of a parts list as the client sees it: pieces of an article in all, and how many of them are built in."""

    article_id: UUID
    article: str = Field(examples=["Circulateur 25-60"])
    quantity: int = Field(examples=[2])
    used: int = Field(default=0, examples=[1])
    state: PartState = Field(examples=["reserved"])


class Part(PartForClient):
    """A line of a parts list as staff see it. Each article has one, whose id stays the same."""

    id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    # The share that the warranty paid of parts when the list was validated; None where that was not decided.
    covered: Percent | None = Field(default=None, examples=[100])

    def is_needed(self) -> bool:
        """Whether pieces of it are still to come or to be built in."""
        return self.state not in ("used", "released")

    def for_client(self) -> PartForClient:
        return PartForClient.model_validate(
            {name: getattr(self, name) for name in PartForClient.model_fields}
        )


class PartWanted(Message):
    """A part as a technician lists it: `quantity` is what is still needed, beside the pieces that are built in."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)] = Field(examples=[2])


class PartNeeded(Message):
    """A line that stock is reserved for: `quantity` pieces in all, with those that were used since."""

    id: UUID
    article_id: UUID
    quantity: int = Field(examples=[2])
    # The share that the warranty pays, in percent; None where that is not decided.
    covered: Percent | None = Field(default=None, examples=[100])
