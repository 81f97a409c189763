"""What the edge says about itself in /openapi.json, held against every answer that a test gets."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

Json = dict[str, Any]

PROBLEM = "application/problem+json"
PROBLEM_FIELDS = {"type", "title", "status", "code", "detail"}
SOMETIMES = {"errors", "moves", "alternatives"}
# The only faults of a server that a caller may meet: somebody behind the edge is away or late.
AWAY = (503, 504)


class Description:
    """Routes with what they may answer."""

    def __init__(self, document: Json) -> None:
        self.document = document
        # Those that say more first: `{invoice_id}.pdf` before `{invoice_id}`.
        paths = sorted(document["paths"], key=lambda path: -len(re.sub(r"{\w+}", "", path)))
        self._paths: list[tuple[re.Pattern[str], Json]] = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path.replace(".", "[.]"))), document["paths"][path])
            for path in paths
        ]

    def operation(self, method: str, path: str) -> Json | None:
        """The operation that a request meets, or None."""
        for pattern, methods in self._paths:
            if pattern.fullmatch(path):
                found: Json | None = methods.get(method.lower())
                return found
        return None

    async def check(self, response: httpx.Response) -> None:
        """Fails on an answer that is undocumented, a refusal that is no problem document, and any 500."""
        request = response.request
        operation = self.operation(request.method, request.url.path)
        if operation is None and not request.url.path.startswith("/api"):
            return
        await response.aread()
        told = f"{request.method} {request.url.path}: {response.status_code} {response.content[:300]!r}"
        assert response.status_code < 500 or response.status_code in AWAY, told
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if request.method == "HEAD":
            assert not response.content, told
            return
        if response.status_code >= 400 and not request.url.path.startswith("/health/"):
            assert media_type == PROBLEM, told
            problem = response.json()
            assert PROBLEM_FIELDS <= problem.keys() <= PROBLEM_FIELDS | SOMETIMES, told
            assert problem["status"] == response.status_code, told
            assert re.fullmatch("[a-z_]+", problem["code"]), told
        if operation is not None:
            documented = operation["responses"].get(str(response.status_code))
            assert documented is not None, f"undocumented: {told}"
            if "content" not in documented:
                assert not response.content, told
                return
            assert media_type in documented["content"], told
            schema = documented["content"][media_type]["schema"]
            if "json" not in media_type:
                assert response.content, told
                return
            wrong = [error.message for error in self._validator(schema).iter_errors(response.json())]
            assert not wrong, f"{wrong}: {told}"

    def _validator(self, schema: Json) -> Draft202012Validator:
        return Draft202012Validator(schema | {"components": self.document["components"]})
