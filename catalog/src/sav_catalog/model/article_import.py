"""Imports of articles."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.lifecycle import ARTICLE_IMPORT
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.catalog.article_import import ArticleImportStatus, ArticleImportView
from sav_contracts.files import StoredFile


class ArticleImport(Aggregate[ArticleImportView], Stateful[ArticleImportStatus]):
    """A file with articles that somebody sent, and how far it is."""

    __tablename__ = "article_import"
    lifecycle = ARTICLE_IMPORT

    status: Mapped[ArticleImportStatus]
    dry_run: Mapped[bool]
    file: Mapped[StoredFile] = mapped_column(JsonColumn(StoredFile))
    by_id: Mapped[UUID]
    lines: Mapped[int | None]
    checked: Mapped[int]
    imported: Mapped[int]
    added: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    wrong: Mapped[int]
    report: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
