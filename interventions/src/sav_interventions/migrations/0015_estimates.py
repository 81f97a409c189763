"""Estimates."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE estimate_reference")
    op.execute(
        """CREATE TABLE estimate (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, client_id uuid NOT NULL, technician_id uuid NOT NULL,
            intervention_id uuid NOT NULL, reclamation_id uuid, reclamation_reference text, visit_reference text,
            reference text NOT NULL, edition bigint NOT NULL, status text NOT NULL, currency text NOT NULL,
            seller json NOT NULL, buyer json NOT NULL, place json, nature text NOT NULL, schedule text, guarantees text,
            written_on date NOT NULL, valid_until date, lines json NOT NULL, vat json NOT NULL,
            net numeric(15, 3) NOT NULL, tax numeric(15, 3) NOT NULL, stamp numeric(15, 3), discount json,
            supply json NOT NULL, lacks json NOT NULL DEFAULT '[]', withdrawal json NOT NULL, sent_at timestamptz,
            accepted json, reason text, withdrawal_asked_at timestamptz, withdrawn_at timestamptz, document json,
            answer_grant uuid UNIQUE, withdrawal_grant uuid UNIQUE, link_used_at timestamptz,
            UNIQUE (intervention_id, edition))"""
    )
    op.execute("CREATE INDEX ix_estimate_reclamation_id ON estimate (reclamation_id)")
    op.execute("CREATE INDEX ix_estimate_visit_reference ON estimate (visit_reference)")


def downgrade() -> None:
    op.execute("DROP TABLE estimate")
    op.execute("DROP SEQUENCE estimate_reference")
