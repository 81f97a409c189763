"""Importing articles from a spreadsheet."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.files import StoredFile, Table
from sav_contracts.messages import Changed, Command, Event, PersonId, View
from sav_contracts.visibility import Visible

ArticleImportStatus = Literal["queued", "checking", "running", "done", "refused", "cancelled"]


class ArticleImportView(View):
    """An import of articles, from the file to what became of it.

    All `lines` are checked first. Where one is wrong, nothing is imported: the import is `refused`. A dry run ends when
    they are checked; it is `done`, and counts what an import would do. `report` is there when it is over, if a line is
    wrong.
    """

    visible: ClassVar[Visible] = Visible()

    status: ArticleImportStatus
    dry_run: bool
    file: StoredFile
    by_id: PersonId
    # None until the file was opened.
    lines: int | None = Field(examples=[1250])
    checked: int = Field(examples=[1250])
    imported: int = Field(examples=[750])
    added: int = Field(examples=[12])
    updated: int = Field(examples=[730])
    unchanged: int = Field(examples=[8])
    wrong: int
    report: StoredFile | None

    def for_client(self) -> None:
        return None

    def is_open(self) -> bool:
        return self.status in ("queued", "checking", "running")


class ImportArticles(Command[ArticleImportView]):
    """Import articles from an XLSX or CSV file, in the background: what `GET /articles/export` writes, or a part of it.

    A line adds the article with its `reference`, or changes what differs of the one there is: importing the same twice
    changes nothing. Columns that are missing stay as they are. If a line is wrong nothing is imported, and `report` has
    every wrong line with its reasons. `dry_run`: only look what the import would do.
    """

    file: Table
    dry_run: bool = False


class CancelArticleImport(Command[ArticleImportView]):
    """Stop an import that is not over. What it has imported by then stays."""

    article_import_id: UUID


ArticleImportChanged = Changed[ArticleImportView]


class ArticleImportRequested(Event[ArticleImportView]):
    """Somebody sent a file with articles."""


class ArticleImportDone(Event[ArticleImportView]):
    """All lines are imported; of a dry run: checked."""


class ArticleImportRefused(Event[ArticleImportView]):
    """A line is wrong, so nothing was imported."""


class ArticleImportCancelled(Event[ArticleImportView]):
    """Somebody stopped the import."""
