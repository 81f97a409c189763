"""Recipes of the rows of catalog."""

from datetime import UTC, datetime

from papers import PDF
from stories import Json, done

from recipes.recipe import Recipe, a_line
from recipes.scene import IMAGE, Scene, Side
from sav_ops.demo.journey import BOILER, PLACE

PROOF = ("facture.pdf", PDF, "application/pdf")


# An import that changes nothing: it says of no article anything but its reference.
TABLE = ("tarif.csv", b"reference\r\n", "text/csv")


CONTRACT = {"kind": "contract", "start": "2026-01-01", "end": "2026-12-31", "reason": "contrat signé"}


async def article(scene: Scene, side: Side) -> Json:
    return done(await scene.manager.post("/articles", BOILER | {"reference": a_line()}), 201)


async def importing(scene: Scene, side: Side) -> Json:
    """An import that is not over: of more lines than are read before somebody can stop it."""
    lines = "\r\n".join(f"{a_line()};X" for _ in range(20_000))
    many = ("tarif.csv", f"reference;name\r\n{lines}".encode())
    return done(await scene.manager.ask("POST", "/articles/import", files={"file": many}), 202)


async def product(scene: Scene, side: Side) -> Json:
    """Without a proof."""
    return done(await side.client.post("/products", registration(side.seen["product"])), 201)


async def proven(scene: Scene, side: Side) -> Json:
    """With a proof that nobody has looked at."""
    path = f"/products/{(await product(scene, side))['id']}/proof"
    return done(await side.client.ask("PUT", path, files={"proof": PROOF}))


async def contracted(scene: Scene, side: Side) -> Json:
    """With a contract, whose id it names beside its own."""
    unit = (await product(scene, side))["id"]
    made = done(await scene.manager.post(f"/products/{unit}/covers", CONTRACT), 201)
    return made | {"product_id": unit, "cover_id": made["covers"][-1]["id"]}


def registration(product: Json) -> Json:
    """Another one of this client's."""
    return {
        "client_id": product["client_id"],
        "article_id": product["article_id"],
        "serial": a_line(),
        "place": PLACE,
        "purchase_date": "2024-03-02",
    }


def counted_now(article: Json) -> Json:
    """As many as nobody has reserved; no two counts are of the same moment."""
    return {
        "counted_at": datetime.now(UTC).isoformat(),
        "counts": [{"article_id": article["id"], "counted": 100}],
    }


RECIPES: dict[str, Recipe] = {
    "POST /articles": Recipe(body=lambda _: BOILER | {"reference": a_line()}),
    "PUT /articles/{article_id}/cost": Recipe("article", lambda _: {"price": "112.00"}),
    "PATCH /articles/{article_id}": Recipe("article", lambda _: {"description": "chauffage seul"}),
    "DELETE /articles/{article_id}": Recipe("article", fresh=article),
    "PUT /articles/{article_id}/image": Recipe("article", files={"image": IMAGE}),
    "POST /articles/{article_id}/stock-movements": Recipe(
        "article", lambda _: {"movement": "receive", "quantity": 1}
    ),
    "GET /articles/{article_id}/stock-movements": Recipe("article"),
    "GET /stock/report": Recipe(),
    "GET /stock/count-sheet": Recipe(),
    "POST /stock/stocktakes": Recipe("article", counted_now),
    "GET /stock/stocktakes/{stocktake_id}/counts": Recipe("stocktake"),
    "POST /articles/import": Recipe(files={"file": TABLE}),
    "POST /articles/imports/{article_import_id}/cancel": Recipe("article_import", fresh=importing),
    "POST /products": Recipe("product", registration),
    "PATCH /products/{product_id}": Recipe("product", lambda _: {"place": PLACE}),
    "PUT /products/{product_id}/proof": Recipe("product", files={"proof": PROOF}, fresh=product),
    "POST /products/{product_id}/verify": Recipe(
        "product", lambda product: {"accepted": True, "proof": product["proof"]["sha256"]}, proven
    ),
    "POST /products/{product_id}/covers": Recipe("product", lambda _: CONTRACT),
    "POST /products/{product_id}/covers/{cover_id}/void": Recipe(
        "product", lambda _: {"reason": "résilié"}, contracted
    ),
    "POST /products/{product_id}/replace": Recipe(
        "product",
        lambda product: {
            "serial": a_line(),
            "delivery_date": product["delivery_date"],
            "imposed": True,
            "reason": "corps de chauffe percé",
        },
        product,
    ),
    "GET /products/{product_id}/warranty": Recipe("product", lambda _: {"on": "2026-03-02"}),
}
