"""Answers that hold sentences in both languages until the edge chooses one."""

from abc import abstractmethod
from typing import Self

from pydantic import BaseModel


class Bilingual(BaseModel):
    """An answer that is sent with all its sentences in both languages."""

    @abstractmethod
    def spoken(self, french: bool) -> Self:
        """The answer as its caller gets it, in one language."""
