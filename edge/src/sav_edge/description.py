"""The API described: the document, and a page to read and try it on, without anything from outside."""

from importlib.resources import files
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.response import Redirect
from litestar.router import Router
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler
from pydantic_core import to_json

from sav_edge.openapi import document

# The page comes with the `swagger-ui-py` package.
ASSETS = Path(str(files("swagger_ui"))) / "static"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>SAV – API</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: true,
  docExpansion: "list", defaultModelsExpandDepth: 0, validatorUrl: null})
</script>
</body>
</html>
"""


@get("/docs", media_type=MediaType.HTML)
async def page() -> str:
    return PAGE


@get("/")
async def root() -> Redirect:
    return Redirect("/docs")


def described() -> list[ControllerRouterHandler]:
    """The routes of the description."""
    openapi = to_json(document())

    @get("/openapi.json")
    async def describe() -> Response[bytes]:
        return Response(openapi, media_type=MediaType.JSON)

    assets: Router = create_static_files_router(path="/docs/assets", directories=[ASSETS])
    return [root, page, describe, assets]
