"""What is told of comments, notes and mentions, and of an address that was taken."""

from typing import Any
from uuid import UUID

import world
from given_notifier import ACCOUNTS, RECLAMATION, nadia
from given_views import a
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.actor import Actor
from sav_contracts.auth.account import ClientEmailRefused
from sav_contracts.claims.comment import CommentAdded, CommentView, NoteAdded, NoteView

COMMENT, NOTE = UUID(int=110), UUID(int=111)
NAMES = {world.lea: "Léa Bernard", world.karim: "Karim Haddad", world.marie: "Marie Leroy"}
ALEX = {world.alex.id}


def comment(by: Actor, *mentions: Actor, **facts: Any) -> CommentAdded:
    return CommentAdded(state=a(CommentView, COMMENT, **written(by, *mentions)), **facts)


def note(by: Actor, *mentions: Actor) -> NoteAdded:
    return NoteAdded(state=a(NoteView, NOTE, **written(by, *mentions)))


def written(by: Actor, *mentions: Actor) -> dict[str, Any]:
    return {
        "reclamation_id": RECLAMATION,
        "by": by.role,
        "author_id": by.id,
        "author": NAMES[by],
        "text": "Le bruit revient le matin.",
        "mentions": tuple(who.id for who in mentions),
    }


PEOPLE = [
    Case("a client's comment", comment(world.lea), {"comment_of_client": MANAGERS}),
    Case(
        "a client's comment on what a technician has",
        comment(world.lea, technician_id=world.karim.id),
        {"comment_of_client": MANAGERS | KARIM},
    ),
    Case("a client's answer", comment(world.lea, answers=True), {"comment_of_client": MANAGERS}),
    Case("a technician's comment", comment(world.karim), {"comment_of_staff": LEA}),
    Case("a manager's comment", comment(world.marie), {"comment_of_staff": LEA}),
    Case(
        "a comment that mentions staff and its writer",
        comment(world.marie, world.karim, world.marie, nadia),
        {"comment_of_staff": LEA, "mention": KARIM | {nadia.id}},
    ),
    Case("a note", note(world.karim), {}),
    Case("a note that mentions its writer", note(world.marie, world.marie), {}),
    Case(
        "a note that mentions staff",
        note(world.karim, world.marie, world.alex),
        {"mention": {world.marie.id} | ALEX},
    ),
    Case(
        "an address that was taken",
        ClientEmailRefused(state=ACCOUNTS[0], email="lea@example.net", by_id=world.marie.id),
        {"address_refused": {world.marie.id}},
    ),
]
