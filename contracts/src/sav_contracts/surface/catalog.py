"""Articles, stock, reservations, installed products."""

from sav_contracts.actor import MANAGERS, STAFF, Role
from sav_contracts.catalog.article import (
    IN_CATALOGUE,
    AddArticle,
    ArticleView,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
)
from sav_contracts.catalog.article_cost import ArticleCostView, SetArticleCost
from sav_contracts.catalog.article_import import ArticleImportView, CancelArticleImport, ImportArticles
from sav_contracts.catalog.product import (
    AddCover,
    ChangeProduct,
    GetWarranty,
    ProductView,
    RegisterProduct,
    ReplaceProduct,
    SendProof,
    VerifyProduct,
    VoidCover,
)
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.stock import MoveStock, StockLevelView
from sav_contracts.catalog.stock_report import FindStockMovements, GetStockReport
from sav_contracts.catalog.stocktake import GetCountSheet, GetStocktakeCounts, RecordStocktake, StocktakeView
from sav_contracts.files import CSV
from sav_contracts.surface.rows import (
    ADMIN,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TIMES,
    ExportRow,
    FileRow,
    ListRow,
    MessageRow,
    PaperRow,
    RecordRow,
    TimelineRow,
    address_of,
    list_and_record,
)
from sav_contracts.visibility import Limited

ARTICLES = ListRow(
    "Browse and search articles",
    "GET /articles",
    ArticleView,
    EVERYBODY,
    # Staff list retired articles too: technicians repair what was sold before.
    only={Role.CLIENT: Limited("status", IN_CATALOGUE)},
    filters=(
        # By `id` a page shows the parts of an appliance; by a part it shows what that fits.
        *("id", "compatible_parts"),
        *("reference", "gtin", "family", "brand", "fuel", "heats", "in_stock", "status"),
    ),
    sorts=(*TIMES, "reference", "name", "brand", "price", "in_stock"),
    search=("reference", "gtin", "name", "brand", "model", "description"),
)
ROWS = (
    ARTICLES,
    # Also of a retired one: products of it, and visits with it, name it still.
    RecordRow("Article sheet", "GET /articles/{article_id}", ArticleView, EVERYBODY),
    MessageRow("Add an article", "POST /articles", AddArticle, MANAGERS, status=201),
    MessageRow("Change an article", "PATCH /articles/{article_id}", ChangeArticle, MANAGERS),
    MessageRow("Retire an article", "DELETE /articles/{article_id}", RetireArticle, MANAGERS),
    MessageRow("Set the article's image", "PUT /articles/{article_id}/image", SetArticleImage, MANAGERS),
    FileRow("Image", "GET /articles/{article_id}/image", ArticleView, EVERYBODY, file="image", sizes=True),
    RecordRow("What an article costs the firm", "GET /articles/{article_id}/cost", ArticleCostView, ADMIN),
    MessageRow(
        "Say what an article costs the firm", "PUT /articles/{article_id}/cost", SetArticleCost, ADMIN
    ),
    RecordRow("Availability", "GET /articles/{article_id}/stock", StockLevelView, STAFF),
    MessageRow(
        "Stock movement", "POST /articles/{article_id}/stock-movements", MoveStock, MANAGER, status=201
    ),
    ListRow(
        "Reservations and back-orders",
        "GET /reservations",
        ReservationView,
        STAFF,
        filters=("status", "article_id", "for_kind", "for_id"),
    ),
    MessageRow(
        "Movements of an article's stock",
        "GET /articles/{article_id}/stock-movements",
        FindStockMovements,
        MANAGERS,
    ),
    MessageRow("Stock report", "GET /stock/report", GetStockReport, MANAGERS),
    MessageRow("Count sheet", "GET /stock/count-sheet", GetCountSheet, MANAGERS),
    MessageRow("Record a stocktake", "POST /stock/stocktakes", RecordStocktake, MANAGER, status=201),
    *list_and_record(
        "Stocktakes",
        "/stock/stocktakes",
        StocktakeView,
        MANAGERS,
        filters=("reference",),
        sorts=("counted_at",),
    ),
    MessageRow(
        "Counts of a stocktake", "GET /stock/stocktakes/{stocktake_id}/counts", GetStocktakeCounts, MANAGERS
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
    ExportRow("Export articles", "GET /articles/export", ArticleView, MANAGERS, list=ARTICLES),
    *list_and_record(
        "Installed products",
        "/products",
        ProductView,
        EVERYBODY,
        filters=("client_id", "article_id", "family", "serial", "proof_state"),
        search=("article", "serial", "built_in.serial", *address_of("place"), "client_id"),
    ),
    MessageRow(
        "Register an installed product", "POST /products", RegisterProduct, CLIENT_AND_MANAGERS, status=201
    ),
    MessageRow("Change its place", "PATCH /products/{product_id}", ChangeProduct, CLIENT_AND_MANAGERS),
    MessageRow(
        "Send a proof of purchase", "PUT /products/{product_id}/proof", SendProof, CLIENT_AND_MANAGERS
    ),
    FileRow("Proof of purchase", "GET /products/{product_id}/proof", ProductView, EVERYBODY, file="proof"),
    PaperRow(
        "Label of a unit", "GET /products/{product_id}/label", ProductView, EVERYBODY, paper="product_label"
    ),
    TimelineRow(
        "Service history",
        "GET /products/{product_id}/timeline",
        ProductView,
        EVERYBODY,
        # A report names its visit only.
        through={"report": "intervention"},
    ),
    MessageRow("Accept or refuse the proof", "POST /products/{product_id}/verify", VerifyProduct, MANAGER),
    MessageRow("Add a cover", "POST /products/{product_id}/covers", AddCover, MANAGER, status=201),
    MessageRow("Void a cover", "POST /products/{product_id}/covers/{cover_id}/void", VoidCover, MANAGER),
    MessageRow(
        "Replace a unit by another",
        "POST /products/{product_id}/replace",
        ReplaceProduct,
        MANAGER,
        status=201,
    ),
    MessageRow("Warranty on a date", "GET /products/{product_id}/warranty", GetWarranty, EVERYBODY),
)
