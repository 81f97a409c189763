"""Articles, stock, installed products."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleView,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
)
from sav_contracts.catalog.article_import import ArticleImportView, CancelArticleImport, ImportArticles
from sav_contracts.catalog.product import (
    ChangeProduct,
    GetWarranty,
    ProductView,
    RegisterProduct,
    SendProof,
    VerifyProduct,
)
from sav_contracts.catalog.stock import MoveStock, StockLevelView
from sav_contracts.files import CSV
from sav_contracts.surface.rows import (
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    ExportRow,
    FileRow,
    MessageRow,
    RecordRow,
    TimelineRow,
    list_and_record,
)

ARTICLES = list_and_record(
    "Browse and search articles",
    "/articles",
    ArticleView,
    EVERYBODY,
    filters=("reference", "gtin", "family", "brand", "fuel", "in_stock", "status"),
    sorts=("reference", "name", "brand", "price", "in_stock"),
    search=("reference", "gtin", "name", "brand", "model", "description"),
)
ROWS = (
    *ARTICLES,
    MessageRow("Add an article", "POST /articles", AddArticle, MANAGERS, status=201),
    MessageRow("Change an article", "PATCH /articles/{article_id}", ChangeArticle, MANAGERS),
    MessageRow("Retire an article", "DELETE /articles/{article_id}", RetireArticle, MANAGERS),
    MessageRow("Set the article's image", "PUT /articles/{article_id}/image", SetArticleImage, MANAGERS),
    FileRow("Image", "GET /articles/{article_id}/image", ArticleView, EVERYBODY, file="image"),
    RecordRow("Availability", "GET /articles/{article_id}/stock", StockLevelView, STAFF),
    MessageRow(
        "Stock movement", "POST /articles/{article_id}/stock-movements", MoveStock, MANAGER, status=201
    ),
    MessageRow("Import articles", "POST /articles/import", ImportArticles, MANAGERS, status=202),
    *list_and_record(
        "Imports of articles",
        "/articles/imports",
        ArticleImportView,
        MANAGERS,
        filters=("status", "dry_run", "by_id"),
    ),
    MessageRow(
        "Stop an import", "POST /articles/imports/{article_import_id}/cancel", CancelArticleImport, MANAGERS
    ),
    FileRow(
        "Wrong lines of an import",
        "GET /articles/imports/{article_import_id}/report",
        ArticleImportView,
        MANAGERS,
        file="report",
        media_types=(CSV,),
    ),
    ExportRow("Export articles", "GET /articles/export", ArticleView, MANAGERS, list=ARTICLES[0]),
    *list_and_record(
        "Installed products",
        "/products",
        ProductView,
        EVERYBODY,
        filters=("client_id", "article_id", "family", "serial", "proof_state"),
        search=("article", "serial", "client_id"),
    ),
    MessageRow(
        "Register an installed product", "POST /products", RegisterProduct, CLIENT_AND_MANAGERS, status=201
    ),
    MessageRow("Change its place", "PATCH /products/{product_id}", ChangeProduct, CLIENT_AND_MANAGERS),
    MessageRow(
        "Send a proof of purchase", "PUT /products/{product_id}/proof", SendProof, CLIENT_AND_MANAGERS
    ),
    FileRow("Proof of purchase", "GET /products/{product_id}/proof", ProductView, EVERYBODY, file="proof"),
    TimelineRow("Service history", "GET /products/{product_id}/timeline", ProductView, EVERYBODY),
    MessageRow("Accept or refuse the proof", "POST /products/{product_id}/verify", VerifyProduct, MANAGER),
    MessageRow("Warranty on a date", "GET /products/{product_id}/warranty", GetWarranty, EVERYBODY),
)
