"""Papers that their client reads by a link, without an account."""

from typing import ClassVar, Literal

from pydantic import Field

from sav_contracts.auth.fields import LinkToken
from sav_contracts.files import StoredFile
from sav_contracts.messages import Command, Message, Query
from sav_contracts.money import Amount, Currency

LinkedKind = Literal["invoice", "credit_note", "report", "estimate", "attestation"]


class PaperShown(Message):
    """A paper as whoever holds its link reads it."""

    kind: LinkedKind
    # Reports and attestations have none.
    number: str | None = Field(examples=["FAC-2026-000001"])
    # The PDF, once it has been made: at `/paper.pdf` of the edge, with the `token` of the link.
    document: StoredFile | None = None
    # What is left of an invoice and can be paid online now; None where nothing is, or may be as yet.
    to_pay: Amount | None = Field(default=None, examples=["205.04"])
    currency: Currency | None = None
    # Where it is paid, once that has begun.
    checkout_url: str | None = Field(default=None, examples=["https://pay.example.com/c/cs_1"])


class GetPaperByLink(Query[PaperShown]):
    """Read the paper that a link is about: an invoice, a credit note, a report, an accepted estimate, or an attestation."""

    token: LinkToken


class PayByLink(Command[PaperShown]):
    """Begin to pay the invoice of a link online. The answer says where; asked again, it is the same place."""

    # The provider is asked before the transaction that records it: see `Tx.without_transaction`.
    secret: ClassVar[bool] = True

    token: LinkToken
