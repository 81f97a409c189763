"""Articles, stock, installed products."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleView,
    ChangeArticle,
    RetireArticle,
    SetArticleImage,
)
from sav_contracts.catalog.product import (
    ChangeProduct,
    GetWarranty,
    ProductView,
    RegisterProduct,
    SendProof,
    VerifyProduct,
)
from sav_contracts.catalog.stock import MoveStock, StockLevelView
from sav_contracts.catalog.stock_report import FindStockMovements, GetStockReport
from sav_contracts.catalog.stocktake import GetCountSheet, GetStocktakeCounts, RecordStocktake, StocktakeView
from sav_contracts.surface.rows import (
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    FileRow,
    MessageRow,
    RecordRow,
    TimelineRow,
    list_and_record,
)

ROWS = (
    *list_and_record(
        "Browse and search articles",
        "/articles",
        ArticleView,
        EVERYBODY,
        filters=("reference", "gtin", "family", "brand", "fuel", "in_stock", "status"),
        sorts=("reference", "name", "brand", "price", "in_stock"),
        search=("reference", "gtin", "name", "brand", "model", "description"),
    ),
    MessageRow("Add an article", "POST /articles", AddArticle, MANAGERS, status=201),
    MessageRow("Change an article", "PATCH /articles/{article_id}", ChangeArticle, MANAGERS),
    MessageRow("Retire an article", "DELETE /articles/{article_id}", RetireArticle, MANAGERS),
    MessageRow("Set the article's image", "PUT /articles/{article_id}/image", SetArticleImage, MANAGERS),
    FileRow("Image", "GET /articles/{article_id}/image", ArticleView, EVERYBODY, file="image"),
    RecordRow("Availability", "GET /articles/{article_id}/stock", StockLevelView, STAFF),
    MessageRow(
        "Stock movement", "POST /articles/{article_id}/stock-movements", MoveStock, MANAGER, status=201
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
