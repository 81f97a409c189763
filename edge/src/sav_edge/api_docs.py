"""The OpenAPI and AsyncAPI descriptions, event schemas, and a page to try the API, which needs no other server."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.router import Router
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler
from pydantic_core import to_json

from sav_contracts.message_types import EVENTS
from sav_contracts.published import revisions, schema_id
from sav_edge.openapi import document

# The page comes with the `swagger-ui-py` package.
ASSETS = Path(str(files("swagger_ui"))) / "static"
# They change only with that package, and every request counts towards the rate limit.
A_DAY = CacheControlHeader(public=True, max_age=86_400)
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
<script src="/docs/start.js"></script>
</body>
</html>
"""
# A separate file: the page's Content-Security-Policy allows no inline scripts.
START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: true,
  docExpansion: "list", defaultModelsExpandDepth: 0, validatorUrl: null})
"""


@get("/docs", media_type=MediaType.HTML)
async def page() -> str:
    return PAGE


@get("/docs/start.js", media_type="text/javascript", cache_control=A_DAY)
async def start() -> str:
    return START


@get("/")
async def root() -> Redirect:
    return Redirect("/docs")


@cache
def _openapi() -> bytes:
    return to_json(document())


@cache
def _schemas() -> dict[str, str]:
    return {
        f"{name}.json": json.dumps({"$id": schema_id(name)} | json.loads(known[-1]), indent=2)
        for name in EVENTS
        if (known := revisions("schemas", name))
    }


def described() -> list[ControllerRouterHandler]:
    """The routes of the page and the descriptions, which are made once for all replicas in a process."""
    openapi, schemas = _openapi(), _schemas()
    asyncapi = (files("sav_contracts") / "asyncapi.json").read_bytes()

    @get("/openapi.json")
    async def describe() -> Response[bytes]:
        return Response(openapi, media_type=MediaType.JSON)

    @get("/asyncapi.json")
    async def describe_events() -> Response[bytes]:
        return Response(asyncapi, media_type=MediaType.JSON)

    # The `$id` of each schema is what the header `dataschema` of its events names.
    @get("/schemas/{file:str}")
    async def schema(file: FromPath[str]) -> Response[str]:
        if file not in schemas:
            raise NotFoundException
        return Response(schemas[file], media_type="application/schema+json")

    assets: Router = create_static_files_router(
        path="/docs/assets", directories=[ASSETS], cache_control=A_DAY
    )
    return [root, page, start, describe, describe_events, schema, assets]
