"""Messages about what people write on réclamations, and to whoever gave a client an address that was taken."""

from typing import Self

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth.account import AccountView, ClientEmailRefused
from sav_contracts.claims.comment import CommentAdded, NoteAdded
from sav_contracts.claims.reclamation import ReclamationView
from sav_notifier.message import Message, message
from sav_notifier.recipients import Recipient, client, holder, managers, technician, technician_name


async def _client_of(event: CommentAdded, tx: Tx) -> Recipient:
    reclamation = await tx.view(ReclamationView, event.state.reclamation_id)
    return await client(tx, reclamation.client_id)


async def technician_and_managers(event: CommentAdded, tx: Tx) -> list[Recipient]:
    """Whoever has the réclamation, then the managers."""
    first = [await technician(tx, event.technician_id)] if event.technician_id else []
    return [*first, *(one for one in await managers(event, tx) if one.id != event.technician_id)]


async def client_of_the_reclamation(event: CommentAdded, tx: Tx) -> list[Recipient]:
    return [await _client_of(event, tx)]


async def whoever_is_mentioned(event: CommentAdded | NoteAdded, tx: Tx) -> list[Recipient]:
    """Not the writer, who knows."""
    others = [id for id in event.state.mentions if id != event.state.author_id]
    return [holder(await tx.view(AccountView, id)) for id in others]


@message(
    "comment_of_client",
    on={CommentAdded: "pass_comment_on"},
    to=technician_and_managers,
    category="reclamation",
)
class CommentOfClient(Message):
    """The technician and the managers read what the client wrote."""

    reference: str
    article: str
    client: str
    text: str
    answers: bool

    @classmethod
    async def about(cls, event: CommentAdded, tx: Tx) -> Self | str:
        if event.state.by is not Role.CLIENT:
            return "not by a client"
        reclamation = await tx.view(ReclamationView, event.state.reclamation_id)
        return cls(
            reference=reclamation.reference,
            article=reclamation.article,
            client=(await client(tx, reclamation.client_id)).name,
            text=event.state.text,
            answers=event.answers,
        )


@message(
    "comment_of_staff",
    on={CommentAdded: "pass_comment_on"},
    to=client_of_the_reclamation,
    category="reclamation",
)
class CommentOfStaff(Message):
    """The client reads what the staff wrote; of the people there they know the technicians by name."""

    reference: str
    article: str
    technician: str | None
    text: str

    @classmethod
    async def about(cls, event: CommentAdded, tx: Tx) -> Self | str:
        comment = event.state
        if comment.by is Role.CLIENT:
            return "by the client"
        reclamation = await tx.view(ReclamationView, comment.reclamation_id)
        writes = comment.by is Role.TECHNICIAN
        return cls(
            reference=reclamation.reference,
            article=reclamation.article,
            technician=await technician_name(tx, comment.author_id) if writes else None,
            text=comment.text,
        )


@message(
    "mention",
    on={CommentAdded: "pass_comment_on", NoteAdded: "call_whom_a_note_mentions"},
    to=whoever_is_mentioned,
    category="reclamation",
)
class Mention(Message):
    """Members of the staff learn that a comment or a note calls them."""

    reference: str
    article: str
    author: str
    text: str
    note: bool

    @classmethod
    async def about(cls, event: CommentAdded | NoteAdded, tx: Tx) -> Self | str:
        if not await whoever_is_mentioned(event, tx):
            return "nobody else is mentioned"
        written = event.state
        reclamation = await tx.view(ReclamationView, written.reclamation_id)
        return cls(
            reference=reclamation.reference,
            article=reclamation.article,
            author=written.author,
            text=written.text,
            note=isinstance(event, NoteAdded),
        )


async def whoever_gave_it(event: ClientEmailRefused, tx: Tx) -> list[Recipient]:
    return [holder(await tx.view(AccountView, event.by_id))]


@message(
    "address_refused",
    on={ClientEmailRefused: "report_refused_address"},
    to=whoever_gave_it,
    category="account",
)
class AddressRefused(Message):
    """The manager learns that the address they gave to a client did not become the client's."""

    client: str
    email: str

    @classmethod
    async def about(cls, event: ClientEmailRefused, tx: Tx) -> Self:
        return cls(client=event.state.name, email=event.email)
