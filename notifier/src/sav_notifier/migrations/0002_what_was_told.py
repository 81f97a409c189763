"""The reference by which a person's messages about a case are found, and when a message was released to a server."""

from alembic import op

revision = "0002"
down_revision = "0001"

# The messages that are compared with earlier statements.
JUDGED = (
    "'reclamation_qualified', 'technician_assigned', 'appointment_booked', 'appointment_cancelled', 'visit_planned',"
    " 'visit_booked', 'visit_cancelled'"
)


def upgrade() -> None:
    op.execute("ALTER TABLE notification ADD case_reference text, ADD tried_at timestamptz")
    # PostgreSQL cannot read JSON that contains a NUL character, which people could type at first.
    op.execute(
        f"""UPDATE notification SET case_reference = facts ->> 'reference'
        WHERE template IN ({JUDGED}) AND facts::text NOT LIKE '%\\u0000%'"""
    )
    op.execute(
        """CREATE INDEX notification_case ON notification (user_id, case_reference)
        WHERE case_reference IS NOT NULL"""
    )


def downgrade() -> None:
    op.execute("DROP INDEX notification_case")
    op.execute("ALTER TABLE notification DROP tried_at, DROP case_reference")
