"""Importing articles: what people ask for; `effects` does it."""

from sav_catalog.app import catalog
from sav_catalog.effects import TURN, next_turn, run_article_import
from sav_catalog.model import ArticleImport
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article_import import (
    ArticleImportCancelled,
    ArticleImportRequested,
    CancelArticleImport,
    ImportArticles,
)


@catalog.command(ImportArticles)
async def import_articles(cmd: ImportArticles, tx: Tx, by: Actor) -> ArticleImport:
    """Begin an import in the background; its record says how far it is."""
    counts = dict.fromkeys(("checked", "imported", "added", "updated", "unchanged", "wrong"), 0)
    importing = tx.add(
        ArticleImport(
            id=tx.new_id(),
            status="queued",
            dry_run=cmd.dry_run,
            file=cmd.file,
            by_id=by.id,
            lines=None,
            report=None,
            **counts,
        )
    )
    tx.emit(importing, ArticleImportRequested())
    tx.later(run_article_import, importing.id)
    return importing


@catalog.command(CancelArticleImport)
async def cancel_article_import(cmd: CancelArticleImport, tx: Tx, by: Actor) -> ArticleImport:
    """Stop an import between two batches. What it has imported stays."""
    # The lock before the record, as where an import begins and ends: another order would risk a deadlock.
    await tx.lock(TURN)
    importing = await tx.load(ArticleImport, cmd.article_import_id, by)
    importing.move("cancelled", by)
    tx.emit(importing, ArticleImportCancelled())
    # Its lines are forgotten there: that may take longer than somebody waits.
    tx.later(run_article_import, importing.id)
    await next_turn(tx)
    return importing
