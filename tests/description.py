"""What the edge says about itself in /openapi.json, held against every answer that a test gets."""

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import httpx
from jsonschema_rs import Draft202012Validator, Registry

Json = dict[str, Any]

PROBLEM = "application/problem+json"
PROBLEM_FIELDS = {"type", "title", "status", "code", "detail"}
SOMETIMES = {"errors", "moves", "alternatives"}
# The only faults of a server that a caller may meet: somebody behind the edge is away or late.
AWAY = (503, 504)
# How its own schemas are named where they are looked up.
HERE = "urn:description"


@lru_cache(maxsize=4)
def described(document: bytes) -> "Description":
    """The description of a replica: nearly all of them say the same."""
    return Description(json.loads(document))


class Description:
    """Routes with what they may answer."""

    def __init__(self, document: Json) -> None:
        self._operations = {
            (path, method): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        # Those that say more first: `{invoice_id}.pdf` before `{invoice_id}`.
        paths = sorted(document["paths"], key=lambda path: -len(re.sub(r"{\w+}", "", path)))
        self._paths: list[tuple[re.Pattern[str], str]] = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path.replace(".", "[.]"))), path) for path in paths
        ]
        self._schemas = Registry([(HERE, document)])
        self._validators: dict[tuple[str, ...], Draft202012Validator] = {}

    def route(self, path: str) -> str:
        """The path with names in place of ids, as it is described; itself, if it is not."""
        return next((known for pattern, known in self._paths if pattern.fullmatch(path)), path)

    async def check(self, response: httpx.Response) -> None:
        """Fails on an answer that is undocumented, a refusal that is no problem document, and any 500."""
        request = response.request
        path, method = self.route(request.url.path), request.method.lower()
        operation = self._operations.get((path, method))
        if operation is None and not path.startswith("/api"):
            return
        await response.aread()
        told = f"{request.method} {request.url.path}: {response.status_code} {response.content[:300]!r}"
        assert response.status_code < 500 or response.status_code in AWAY, told
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if method == "head":
            assert not response.content, told
            return
        if response.status_code >= 400 and not path.startswith("/health/"):
            assert media_type == PROBLEM, told
            problem = response.json()
            assert PROBLEM_FIELDS <= problem.keys() <= PROBLEM_FIELDS | SOMETIMES, told
            assert problem["status"] == response.status_code, told
            assert re.fullmatch("[a-z_]+", problem["code"]), told
        if operation is not None:
            status = str(response.status_code)
            documented = operation["responses"].get(status)
            assert documented is not None, f"undocumented: {told}"
            if "content" not in documented:
                assert not response.content, told
                return
            assert media_type in documented["content"], told
            if "json" not in media_type:
                assert response.content, told
                return
            where = ("paths", path, method, "responses", status, "content", media_type, "schema")
            wrong = [error.message for error in self._validator(where).iter_errors(response.json())]
            assert not wrong, f"{wrong}: {told}"

    def _validator(self, where: tuple[str, ...]) -> Draft202012Validator:
        """Of the schema at this place of the document; made when it is first needed."""
        if where not in self._validators:
            steps = [quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in where]
            schema = {"$ref": f"{HERE}#/{'/'.join(steps)}"}
            self._validators[where] = Draft202012Validator(schema, registry=self._schemas)
        return self._validators[where]
