"""People: who they are said to be, everywhere the same, and what they write to each other about a réclamation."""

import asyncio
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from eventually import eventually
from kept_mails import html, plain, read
from stories import (
    Json,
    assigned,
    done,
    drafted,
    field,
    ids,
    items,
    opened,
    qualified,
    refused,
    types,
    wrong_fields,
)
from system import PASSWORD, Person, System
from uuid_utils.compat import uuid7

HOME = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}
SECRET = "le voisin a la clé, sonner chez lui"


def kept(system: System, email: str) -> list[EmailMessage]:
    return [read(path) for path in sorted(Path(system.settings.mailbox).glob(f"*{email}*.eml"))]


async def mail(system: System, email: str, says: str) -> EmailMessage:
    """The one mail to this address whose subject or text says so."""

    async def found() -> list[EmailMessage]:
        return [one for one in kept(system, email) if says in one["Subject"] or says in plain(one)]

    [one] = await eventually(found, 30)
    return one


async def says(who: Person, path: str, name: str, value: Any) -> None:
    async def agrees() -> bool:
        return bool(await field(who, path, name) == value)

    await eventually(agrees, 20)


async def test_what_a_client_says_of_themselves_is_what_all_read(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    profile = f"/clients/{lea.id}"
    await eventually(lambda: ids(lea, "/clients"))
    said = {"name": "Léa Martin", "phones": ["06 12 34 56 78"], "addresses": [HOME], "locale": "en"}
    told = done(await lea.ask("PATCH", profile, json=said))
    assert (told["phones"], told["addresses"]) == (["+33612345678"], [HOME | {"country": "FR"}])
    await says(lea, "/me", "name", "Léa Martin")
    await says(lea, "/me", "locale", "en")
    await says(marie, f"/users/{lea.id}", "name", "Léa Martin")
    assert await ids(marie, "/clients", q="0033 6 12345678", sort="-created_at", limit=1) == [lea.id]

    draft = await drafted(lea, marie, karim)
    assert draft["buyer"]["name"] == "Léa Martin"
    received = await mail(system, lea.email, "received")
    assert plain(received).startswith("Hello Léa Martin,")

    # The other way round, and by somebody else.
    done(await lea.ask("PATCH", "/me", json={"name": "Léa Petit", "locale": "fr"}))
    await says(lea, profile, "name", "Léa Petit")
    await says(marie, profile, "locale", "fr")
    done(await marie.ask("PATCH", profile, json={"name": "Léa Grand", "notes": SECRET}))
    await says(lea, "/me", "name", "Léa Grand")
    assert SECRET not in (await lea.get(profile)).text
    assert await field(marie, profile, "notes") == SECRET
    refused(await karim.ask("PATCH", profile, json=said), 403, "not_allowed")
    assert wrong_fields(await lea.ask("PATCH", profile, json={"email": "l@example.com"})) == {"email"}


async def test_two_names_that_are_given_at_once_become_one(system: System, marie: Person) -> None:
    lea = await system.client()
    await eventually(lambda: ids(lea, "/clients"))
    profile = f"/clients/{lea.id}"
    changes = [
        lea.ask("PATCH", "/me", json={"name": "Léa Un"}),
        marie.ask("PATCH", profile, json={"name": "Léa Deux"}),
        lea.ask("PATCH", profile, json={"name": "Léa Trois"}),
        lea.ask("PATCH", "/me", json={"name": "Léa Quatre"}),
    ]
    for answer in await asyncio.gather(*changes):
        done(answer)

    async def settled() -> bool:
        account, client = done(await lea.get("/me")), done(await lea.get(profile))
        return bool((account["name"], account["name_edition"]) == (client["name"], client["name_edition"]))

    await eventually(settled, 20)
    await asyncio.sleep(1)
    assert await settled(), "and nothing goes round in circles"


async def test_a_client_who_gets_an_address_later_signs_in_by_the_invitation(
    system: System, marie: Person
) -> None:
    made = done(await marie.post("/clients", {"name": "Paul Durand", "phones": ["+216 71 123 456"]}), 201)
    profile, taken = f"/clients/{made['id']}", await system.client()
    await eventually(lambda: ids(marie, "/clients", q="paul durand"))
    answer = await marie.ask("PATCH", profile, json={"email": taken.email.upper()})
    refused(answer, 409, "address_taken")
    email = f"{uuid7()}@example.com"
    given = {"email": email.upper(), "name": "Paul Petit"}
    told = done(await marie.ask("PATCH", profile, json=given))
    assert told["email"] == email
    await says(marie, f"/users/{made['id']}", "email", email)
    invitation = await mail(system, email, "Votre compte")
    assert plain(invitation).startswith("Bonjour Paul Petit,")

    person = Person(made["id"], email, "client", system.http)
    token = await system.link("invitation", person)
    accepting = {"token": token, "password": PASSWORD}
    done(await system.visitor().post("/auth/invitations/accept", accepting))
    paul = await system.sign_in(email)
    assert (paul.id, await ids(paul, "/clients")) == (made["id"], [made["id"]])
    refused(await marie.ask("PATCH", profile, json={"email": f"{uuid7()}@example.com"}), 409, "has_address")


async def written(who: Person, claim: Json, kind: str = "comments") -> list[str]:
    return [one["text"] for one in await items(who, f"/reclamations/{claim['id']}/{kind}", sort="created_at")]


async def write(who: Person, claim: Json, text: str, kind: str = "comments", **more: Any) -> Json:
    return done(await who.post(f"/reclamations/{claim['id']}/{kind}", {"text": text} | more), 201)


async def test_everybody_concerned_writes_and_reads_and_only_staff_the_notes(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    claim, _ = await assigned(lea, marie, karim)
    path = f"/reclamations/{claim['id']}"
    before = (await lea.get(path)).headers["etag"], (await lea.get(f"{path}/timeline")).headers["etag"]
    await write(karim, claim, SECRET, "notes", mentions=[marie.id])
    await write(marie, claim, "à surveiller", "notes", mentions=[karim.id, marie.id])
    after = (await lea.get(path)).headers["etag"], (await lea.get(f"{path}/timeline")).headers["etag"]
    assert after == before, "a client cannot even tell that there is a note"

    hers = await write(lea, claim, "Le bruit <b>revient</b>.\nhttp://evil.example/ tous les jours")
    his = await write(karim, claim, "Je passe lundi.")
    await write(marie, claim, "Nous suivons votre dossier.", mentions=[karim.id])
    assert hers.keys() == {
        *("id", "version", "created_at", "updated_at", "reclamation_id", "by", "text"),
    }
    assert (his["author"], his["author_id"]) == ("Karim Haddad", karim.id)
    everything = [hers["text"], "Je passe lundi.", "Nous suivons votre dossier."]
    for who in (lea, karim, marie):
        assert await written(who, claim) == everything
        assert (await types(who, claim)).count("CommentAdded") == 3
        assert ("NoteAdded" in await types(who, claim)) is (who is not lea)
        assert done(await who.get(f"{path}/comments/{his['id']}"))["text"] == "Je passe lundi."
    for who in (karim, marie):
        assert await written(who, claim, "notes") == [SECRET, "à surveiller"]
    refused(await lea.get(f"{path}/notes"), 403, "not_allowed")
    refused(await lea.post(f"{path}/notes", {"text": "x"}), 403, "not_allowed")
    for asked in ("", "/timeline", "/comments"):
        assert SECRET not in (await lea.get(f"{path}{asked}")).text
    assert await ids(lea, "/reclamations", q="voisin") == []

    await told_once(system, lea, karim, marie, claim)


async def told_once(system: System, lea: Person, karim: Person, marie: Person, claim: Json) -> None:
    """Each reads in their mails what others wrote to them, once, and nobody what they wrote."""
    reference = claim["reference"]
    to_karim = await mail(system, karim.email, f"{reference}\u00a0: message de Léa Bernard")
    assert "«\u00a0Le bruit <b>revient</b>." in plain(to_karim)
    assert "<b>revient</b>" not in html(to_karim)
    await mail(system, marie.email, f"{reference}\u00a0: message de Léa Bernard")
    assert "Karim Haddad vous a écrit" in plain(await mail(system, lea.email, "Je passe lundi."))
    assert "Le service après-vente vous a écrit" in plain(await mail(system, lea.email, "Nous suivons"))
    assert "note interne" in plain(await mail(system, marie.email, SECRET))
    assert "note interne" in plain(await mail(system, karim.email, "à surveiller"))
    assert "un commentaire" in plain(await mail(system, karim.email, "Nous suivons"))
    for who, wrote in ((lea, "Le bruit"), (karim, "Je passe"), (karim, SECRET), (marie, "à surveiller")):
        assert not [one for one in kept(system, who.email) if wrote in plain(one)], who.role
    assert not [one for one in kept(system, lea.email) if SECRET in plain(one) or "surveiller" in plain(one)]


async def test_strangers_find_no_comment_and_no_note(system: System, marie: Person) -> None:
    lea, karim, sofia, paul = (
        await system.client(),
        await system.technician(),
        await system.technician("Sofia Martin"),
        await system.client(),
    )
    claim, _ = await assigned(lea, marie, karim)
    comment = await write(lea, claim, "Le bruit revient.")
    note = await write(marie, claim, SECRET, "notes")
    path = f"/reclamations/{claim['id']}"
    for who in (paul, sofia):
        for asked in ("/comments", f"/comments/{comment['id']}", "/timeline"):
            refused(await who.get(f"{path}{asked}"), 404, "not_found")
        refused(await who.post(f"{path}/comments", {"text": "x"}), 404, "not_found")
        refused(
            await who.ask("PATCH", f"/clients/{lea.id}", json={"name": "x"}),
            *((404, "not_found") if who is paul else (403, "not_allowed")),
        )
    for asked in ("/notes", f"/notes/{note['id']}"):
        refused(await sofia.get(f"{path}{asked}"), 404, "not_found")
        refused(await paul.get(f"{path}{asked}"), 403, "not_allowed")
    mentioning = {"text": "x", "mentions": [sofia.id, lea.id, karim.id]}
    wrong = wrong_fields(await marie.post(f"{path}/comments", mentioning))
    assert wrong == {"mentions.0", "mentions.1"}, "neither reads it as a member of the staff"


async def test_a_saved_filter_answers_what_the_list_answers(system: System, marie: Person) -> None:
    lea = await system.client()
    claim, other = await qualified(lea, marie), await opened(lea)
    query = f"client_id={lea.id}&status=qualified&status=assigned&sort=-reference"
    saved = {"name": "À attribuer", "list": "/reclamations", "query": query}
    kept_filter = done(await marie.ask("PUT", "/me/filters", json=saved))
    assert kept_filter["query"] == query
    [read_again] = [one for one in await items(marie, "/me/filters") if one["id"] == kept_filter["id"]]
    found = done(await marie.ask("GET", f"{read_again['list']}?{read_again['query']}"))["items"]
    assert [one["id"] for one in found] == [claim["id"]] != [other["id"]]

    answer = await marie.ask("PUT", "/me/filters", json=saved | {"query": "colour=red"})
    assert wrong_fields(answer) == {"query"}
    assert "colour" in answer.text
    renamed = done(await marie.ask("PUT", "/me/filters", json=saved | {"name": "à attribuer", "query": ""}))
    assert renamed["id"] == kept_filter["id"]
    done(await marie.ask("DELETE", f"/me/filters/{kept_filter['id']}"))
    assert kept_filter["id"] not in await ids(marie, "/me/filters")
    refused(await marie.get(f"/me/filters/{kept_filter['id']}"), 404, "not_found")


async def test_only_managers_and_admins_keep_filters(system: System) -> None:
    for who in (await system.client(), await system.technician()):
        refused(await who.get("/me/filters"), 403, "not_allowed")
