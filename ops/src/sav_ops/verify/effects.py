"""Effects that a committed state requires."""

from collections.abc import AsyncIterator

from sav_ops.verify.moment import BATCH, Snapshot

# The records for which an effect is still to run.
OWED = {
    "deliver": ("notifier", "SELECT id FROM notification WHERE status IN ('planned', 'queued', 'failed')"),
    "print_invoice": (
        "interventions",
        "SELECT id FROM invoice WHERE number IS NOT NULL AND document IS NULL",
    ),
    "print_credit_note": ("interventions", "SELECT id FROM credit_note WHERE document IS NULL"),
    "print_estimate": (
        "interventions",
        "SELECT id FROM estimate WHERE status IN ('sent', 'accepted') AND document IS NULL",
    ),
    "archive_closing": ("interventions", "SELECT id FROM closing WHERE archive IS NULL"),
    "print_attestation": (
        "interventions",
        "SELECT id FROM attestation WHERE attested IS NOT NULL AND document IS NULL",
    ),
    # One that is queued begins when the one before is over, which asks for it then.
    "run_article_import": (
        "catalog",
        """SELECT id FROM article_import WHERE status IN ('checking', 'running')
        OR (status = 'queued' AND (dry_run OR NOT EXISTS (
            SELECT FROM article_import o WHERE o.status IN ('checking', 'running') AND NOT o.dry_run)))""",
    ),
}


async def promised_effects(moment: Snapshot) -> AsyncIterator[str]:
    """Name each such record for which no effect waits, and none was skipped."""
    for effect, (room, records) in OWED.items():
        query = f"""SELECT id FROM ({records}) AS owed
            WHERE NOT EXISTS (SELECT FROM task WHERE use = 'effect' AND key = '{effect} ' || owed.id)
                AND NOT EXISTS (SELECT FROM handled WHERE handler = 'effect {effect}' AND event_id = owed.id)"""
        async for row in moment.databases[room].cursor(query, prefetch=BATCH):
            yield f"{room}: no {effect} waits for {row['id']}"
