"""docs/imports.md: how articles are imported and exported, with the columns of the table."""

from collections.abc import Iterator

from sav_contracts.catalog.article import AddArticle, ChangeArticle
from sav_contracts.catalog.article_sheet import COLUMNS, Column
from sav_contracts.files import MAX_TABLE_BYTES

HEAD = """# Importing and exporting articles

Made by `./sav generate` from the columns (`contracts/src/sav_contracts/catalog/article_sheet.py`); change those, or the text in
`ops/src/sav_ops/documents/import_columns.py`, not this page.

```console
$ curl -H "Authorization: Bearer $token" $api/articles/export?format=xlsx -o articles.xlsx
$ curl -H "Authorization: Bearer $token" $api/articles/import -F file=@articles.xlsx -F dry_run=true
{"id":"…","status":"queued","dry_run":true, …}
$ curl -H "Authorization: Bearer $token" $api/articles/imports/$id
{"status":"done","lines":1250,"checked":1250,"added":12,"updated":730,"unchanged":506,"wrong":2,"report":{…}, …}
$ curl -H "Authorization: Bearer $token" $api/articles/imports/$id/report
ligne;colonne;valeur;motif;reason
17;prix HT;1,234;au plus 2 décimales sont attendues;at most 2 decimal places are expected
```

## What an import does

- A line whose `reference` is not in the catalogue adds the article, as `POST /articles` does. One that is known changes what
  differs, as `PATCH /articles/{id}` does, under the same rules. Where nothing differs nothing happens: importing the same twice
  changes nothing.
- A column that is missing leaves its field as it is: `reference` and `prix HT` make a price list. An empty cell takes the bar
  code, the model, the energy, what it heats, the power, the last day of spare parts and the list of parts away; any other empty cell
  leaves the field as it is, and gives a new article the default.
- Parts may be in the same file, before or after what they fit into.
- A retired article is never changed or brought back; a line that says of it what is so counts as unchanged. An import retires
  nothing.
- **All lines are checked before one is imported. If a line is wrong, nothing is imported** (`refused`), and the report has
  every wrong line. `dry_run=true` ends after the check. What somebody does meanwhile can still stand in the way of a line, as
  retiring its article: then that line alone is in the report.
- It goes on in the background, some hundred lines in one transaction. `GET /articles/imports/{id}` and the stream say how far
  it is (`checked`, `imported`); `POST …/cancel` stops it between two batches, and what was imported stays. Cut off, it goes on
  behind the last batch within a minute. Imports go one after another; dry runs wait for nobody.
- The report is a CSV of at most 10 MB; what goes beyond is counted in its last line.

## Files

XLSX (the first visible sheet) or CSV, up to MEGABYTES MB and 100,000 lines. A CSV may be in UTF-8, UTF-16 with its mark or
Windows-1252, with `;`, `,` or tabs, with or without `sep=;`. Lines and columns without anything in them are skipped. The first
line has the names of the columns, in French or as the API has them, in any case and with or without accents. Everything else is
refused with what to do about it: workbooks with macros or a password, `.xls`, `.ods`, `.numbers`, web pages that are called
`.xls`, columns without a name or of the same name.

Numbers may be written `1 234,50 €`, `€ 1234.50`, `1.234,50` or `1,234.50`. Three digits after the only separator, as in `1,234`
or `1.500`, are decimals or thousands: except for prices in TND, they are refused rather than guessed. Days are `31/12/2036` or
`2036-12-31`. What a spreadsheet has shortened (`3,01E+12`) is refused; a bar code that has lost its leading zeros gets them back.

An export has all articles that the filters of `GET /articles` choose, by reference, as each is when its page is read. The CSV
is for spreadsheets in France: `;`, commas in amounts, UTF-8 with its mark. **Use XLSX for what is to be edited in Excel**: it
shortens bar codes when it opens a CSV. In the CSV an apostrophe stands before what would begin a formula, and an import takes it
away again; in an XLSX texts are stored as texts.

## Columns
"""


def page() -> str:
    """Return docs/imports.md."""
    return "\n".join([HEAD.replace("MEGABYTES", str(MAX_TABLE_BYTES // 1_000_000)), *_rows(), ""])


def _rows() -> Iterator[str]:
    yield "| column | also | values | a new article | a known one |"
    yield "| --- | --- | --- | --- | --- |"
    for column in COLUMNS:
        also = ", ".join((f"`{column.field}`", *column.french[1:]))
        yield f"| {column.french[0]} | {also} | {_values(column)} | {_of_new(column)} | {_of_known(column)} |"


def _values(column: Column) -> str:
    if column.words:
        return ", ".join(f"{french[0]} (`{value}`)" for value, french in column.words.items())
    if column.field == "compatible_parts":
        return "references, between `\\|`, commas, semicolons or on lines of their own"
    return {"text": "text", "amount": "number, two decimal places", "whole": "whole number", "day": "day"}[
        column.kind
    ]


def _of_new(column: Column) -> str:
    if column.field == "status":
        return "actif; not retiré"
    field = AddArticle.model_fields[column.field]
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if not default:
        return "0" if default == 0 else "–"
    return column.words[default][0] if column.words else str(default)


def _of_known(column: Column) -> str:
    if column.field == "reference":
        return "names it"
    return "changes" if column.field in ChangeArticle.model_fields else "has to be the same"
