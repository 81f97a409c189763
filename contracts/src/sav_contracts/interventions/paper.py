"""Papers that their client reads by a link, without an account."""

from typing import Literal

from pydantic import Field

from sav_contracts.auth.fields import LinkToken
from sav_contracts.files import StoredFile
from sav_contracts.messages import Message, Query


class PaperShown(Message):
    """A paper as whoever holds its link reads it."""

    kind: Literal["invoice", "credit_note", "report"]
    # Reports have none.
    number: str | None = Field(examples=["FAC-2026-000001"])
    # The PDF, once it has been made: at `/paper.pdf` of the edge, with the `token` of the link.
    document: StoredFile | None = None


class GetPaperByLink(Query[PaperShown]):
    """Read the paper that a link is about: an issued invoice, a credit note, or a validated report."""

    token: LinkToken
