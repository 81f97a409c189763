"""What must be true after a drill is looked for where it is kept. After everything else: it leaves ruins, too."""

import shutil
from email.message import Message
from pathlib import Path

import pytest
from drills.fire import Fire
from drills.truth import broken_promises

from sav_ops.databases import Databases, opened

pytestmark = pytest.mark.usefixtures("past")

# What breaks a promise without any service having done it.
BROKEN = {
    "a message that was given up": (
        "notifier",
        "UPDATE notification SET status = 'dead' WHERE ctid = (SELECT ctid FROM notification LIMIT 1)",
        "is dead",
    ),
    "a message that is dropped and says no reason": (
        "notifier",
        """UPDATE notification SET status = 'suppressed', reason = NULL
        WHERE ctid = (SELECT ctid FROM notification WHERE status = 'sent' LIMIT 1)""",
        "is suppressed: None",
    ),
    # New ids: a mail that the server took and did not say so may have been kept, too, once it was not asked any more.
    "a message that no server has": (
        "notifier",
        """UPDATE notification SET id = ('00000000' || right(gen_random_uuid()::text, 28))::uuid
        WHERE ctid = (SELECT ctid FROM notification WHERE status = 'sent' LIMIT 1)""",
        "the server has no",
    ),
    "a message that no folder has": (
        "notifier",
        """UPDATE notification SET id = gen_random_uuid()
        WHERE ctid = (SELECT ctid FROM notification WHERE status = 'kept_locally' LIMIT 1)""",
        "the mailbox has no",
    ),
    "a mail that nobody wrote": (
        "notifier",
        "DELETE FROM notification WHERE ctid = (SELECT ctid FROM notification WHERE status = 'sent' AND id::text NOT LIKE '00000000%' LIMIT 1)",
        "which nobody wrote",
    ),
    "somebody who was not told": (
        "notifier",
        # Of an event whose other message is still there, whatever was deleted before.
        """DELETE FROM notification WHERE ctid = (SELECT one.ctid FROM notification one JOIN notification other
            USING (event_id) WHERE one.template = 'reclamation_received' AND other.id <> one.id LIMIT 1)""",
        "was told to 1 and not to 2",
    ),
    "somebody who was told twice": (
        "notifier",
        """ALTER TABLE notification DROP CONSTRAINT notification_event_id_user_id_channel_key;
        UPDATE notification SET event_id = other.event_id, user_id = other.user_id
        FROM (SELECT * FROM notification LIMIT 1) AS other WHERE notification.id <> other.id""",
        "told twice of one event",
    ),
    "an invoice that was printed nowhere": (
        "interventions",
        "UPDATE invoice SET document = NULL WHERE number = (SELECT max(number) FROM invoice WHERE document IS NOT NULL)",
        "is not on paper",
    ),
    "an invoice whose paper is lost": (
        "interventions",
        """UPDATE invoice SET document = regexp_replace(document::text, '"sha256": ?"....', '"sha256":"0000')::json
        WHERE number = (SELECT min(number) FROM invoice WHERE document IS NOT NULL)""",
        "is not in the store",
    ),
    "an invoice with another total": (
        "interventions",
        "UPDATE invoice SET hash = 'x' WHERE number = (SELECT max(number) FROM invoice)",
        "does not stand on the one before",
    ),
    "a number that is missing": (
        "interventions",
        """UPDATE invoice SET number = overlay(number placing '999999' from length(number) - 5)
        WHERE number = (SELECT max(number) FROM invoice)""",
        "is number",
    ),
    "two visits at one time": (
        "calendar",
        """ALTER TABLE appointment DROP CONSTRAINT appointment_overlap;
        DROP INDEX appointment_standing;
        UPDATE appointment SET status = 'booked', technician_id = other.technician_id, start = other.start,
            "end" = other."end", busy_until = other.busy_until
        FROM (SELECT * FROM appointment LIMIT 1) AS other""",
        "overlap",
    ),
    "work that nobody does": (
        "claims",
        """INSERT INTO task (use, key, lane, due, state, message, persons)
        VALUES ('timer', 'y', gen_random_uuid(), now(), 'dead', '{}', '{}')""",
        "timer y is due",
    ),
}


@pytest.mark.parametrize(("room", "statement", "finding"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_promise_is_named(fire: Fire, room: str, statement: str, finding: str) -> None:
    async with opened(fire.settings) as databases:
        before = [line for line in await promises(fire, databases) if finding in line]
        assert not (await databases[room].execute(statement)).endswith(" 0"), "nothing was sabotaged"
        assert len([line for line in await promises(fire, databases) if finding in line]) > len(before)


async def test_a_mail_that_differs_from_its_copy_is_named(fire: Fire) -> None:
    copies = next(iter(fire.post.taken.values()))
    copies.append(Message())
    async with opened(fire.settings) as databases:
        assert [line for line in await promises(fire, databases) if line.startswith("the copies of")]


async def test_a_message_that_is_kept_twice_is_named(fire: Fire) -> None:
    mailbox = Path(fire.settings.mailbox)
    kept = next(mailbox.glob("*.eml"))
    shutil.copy(kept, mailbox / f"again-{kept.name}")
    async with opened(fire.settings) as databases:
        assert "a message is kept twice" in await promises(fire, databases)


async def promises(fire: Fire, databases: Databases) -> list[str]:
    return await broken_promises(databases, fire.settings, fire.post)
