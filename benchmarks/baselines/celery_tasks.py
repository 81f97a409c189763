"""The tasks that follow a réclamation, as Celery's pages show them: a synchronous session, `.delay` after the commit."""

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from celery import Celery
from sqlalchemy import Engine, create_engine, text

from sav_chassis.settings import Settings
from sav_notifier.mail import composed, file_name
from sav_notifier.rendering import rendered, subject_of
from sav_notifier.settings import sender

settings = Settings()
app = Celery("sav", broker=settings.broker_url)
app.conf.task_ignore_result = True
if os.environ.get("ACKS_LATE"):
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)

SHOW = text(
    """INSERT INTO view (kind, id, version, user_id, client_id, status, open, created_at, updated_at, doc, doc_client)
    VALUES (:kind, :id, :version, :user_id, :client_id, :status, true, :created_at, :updated_at, :doc, :doc)
    ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, status = excluded.status,
        updated_at = excluded.updated_at, doc = excluded.doc, doc_client = excluded.doc_client
    WHERE view.version < excluded.version"""
)
TELL = text(
    """INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client)
    VALUES (:id, :event_id, :created_at, :kind, :id, :doc, :doc) ON CONFLICT DO NOTHING"""
)
FACT = text(
    """INSERT INTO reclamation_fact (id, version, created_at, client_id, status, open, problem_type, priority, coverage)
    VALUES (:id, :version, :created_at, :client_id, :status, true, :problem_type, 'normal', :coverage)
    ON CONFLICT DO NOTHING"""
)
PEOPLE = text(
    """SELECT id, doc::text AS doc FROM view WHERE kind = 'account'
    AND (id = :client_id OR status = 'active' AND doc ->> 'role' = 'manager')"""
)
QUEUE = text(
    """INSERT INTO notification (id, version, created_at, updated_at, user_id, category, channel, template, locale,
        event_id, about_kind, about_id, about_version, facts, subject, status, attempts)
    VALUES (:id, 1, :created_at, :created_at, :user_id, :category, 'email', :template, :locale,
        :event_id, 'reclamation', :about_id, 1, :facts, :subject, 'queued', 0)"""
)
LOG = text(
    """INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, actor_id, actor_role, body, persons)
    VALUES (:event_id, :type, :at, 'notification', :id, :version, :event_id, :user_id, 'system', :body, '{}')"""
)
FIND = text("SELECT * FROM notification WHERE id = :id FOR UPDATE")
WHO = text("SELECT doc::text FROM view WHERE kind = 'account' AND id = :user_id")
SENT = text(
    """UPDATE notification SET version = 2, status = 'kept_locally', attempts = 1, sent_at = :at, updated_at = :at
    WHERE id = :id"""
)


@cache
def engine(room: str) -> Engine:
    return create_engine(settings.database(room).replace("postgresql://", "postgresql+psycopg://"))


@app.task
def copy(room: str, kind: str, doc: dict[str, Any], event_id: str) -> None:
    """A read model's row; the edge's timeline line."""
    row = {"user_id": None, "client_id": None} | doc
    row |= {"kind": kind, "doc": json.dumps(doc), "event_id": event_id}
    with engine(room).begin() as connection:
        connection.execute(SHOW, row)
        if room == "edge" and kind == "reclamation":
            connection.execute(TELL, row)


@app.task
def fact(doc: dict[str, Any]) -> None:
    """The report's row."""
    with engine("reporting").begin() as connection:
        connection.execute(FACT, doc)


@app.task
def notify(doc: dict[str, Any], event_id: str) -> None:
    """A message to the client and to each manager; then their copies and their sending."""
    queued = []
    with engine("notifier").begin() as connection:
        for person in connection.execute(PEOPLE, doc):
            known = json.loads(person.doc)
            is_client = str(person.id) == doc["client_id"]
            facts = {"reference": doc["reference"], "article": doc["article"], "signs": []}
            if not is_client:
                facts |= {"urgent": False, "client": known["name"]}
                facts |= {"problem_type": doc["problem_type"], "description": doc["description"]}
            template = "reclamation_received" if is_client else "reclamation_new"
            row = {
                "id": str(uuid4()),
                "version": 1,
                "created_at": datetime.now(UTC).isoformat(),
                "user_id": str(person.id),
                "category": "reclamation",
                "template": template,
                "locale": known["locale"],
                "event_id": event_id,
                "about_id": doc["id"],
                "subject": subject_of(template, known["locale"], facts),
                "status": "queued",
            }
            row["updated_at"] = row["created_at"]
            connection.execute(QUEUE, row | {"facts": json.dumps(facts)})
            _log(connection, row, "notifier.NotificationChanged.v1")
            queued.append(row)
    for row in queued:
        copy.delay("edge", "notification", row, event_id)
        deliver.delay(row["id"])


@app.task
def deliver(id: str) -> None:
    """Writes the mail as the notifier does, and records that it left."""
    with engine("notifier").begin() as connection:
        notification = connection.execute(FIND, {"id": id}).one()
        who = SimpleNamespace(**json.loads(connection.execute(WHO, notification._mapping).scalar_one()))
        content = rendered(notification.template, notification.locale, who.name, notification.facts | KNOWN)
        mail = composed(notification, who, content, settings.mail_from)  # type: ignore[arg-type]
        mailbox = Path(settings.mailbox)
        mailbox.mkdir(parents=True, exist_ok=True)
        (mailbox / file_name(notification, who)).write_bytes(mail.content)  # type: ignore[arg-type]
        now = datetime.now(UTC)
        connection.execute(SENT, {"id": id, "at": now})
        row = {name: _plain(value) for name, value in notification._mapping.items() if name != "facts"}
        row |= {"version": 2, "status": "kept_locally", "updated_at": now.isoformat()}
        _log(connection, row, "notifier.NotificationSent.v1")
    copy.delay("edge", "notification", row, row["event_id"])


KNOWN = {"company": sender().seller.name, "site": ""}


def _log(connection: Any, row: dict[str, Any], type: str) -> None:
    values = {"event_id": uuid4(), "type": type, "at": datetime.now(UTC), "body": json.dumps(row)}
    connection.execute(LOG, row | values)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (UUID, datetime)) else value
