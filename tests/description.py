"""What the edge says about itself in /openapi.json, held against every answer that a test gets."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

Json = dict[str, Any]

PROBLEM = "application/problem+json"
PROBLEM_FIELDS = {"type", "title", "status", "code", "detail"}
# The only faults of a server that a caller may meet: somebody behind the edge is away or late.
AWAY = (503, 504)


class Description:
    """Routes with what they may answer."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._operations: list[tuple[str, re.Pattern[str], Json]] = [
            (method.upper(), re.compile(re.sub(r"{\w+}", "[^/]+", path)), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def operation(self, method: str, path: str) -> Json | None:
        """The operation that a request meets, or None."""
        for known, pattern, operation in self._operations:
            if known == method and pattern.fullmatch(path):
                return operation
        return None

    async def check(self, response: httpx.Response) -> None:
        """Fails on an answer that is undocumented, a refusal that is no problem document, and any 500."""
        request = response.request
        if not request.url.path.startswith("/api"):
            return
        await response.aread()
        told = f"{request.method} {request.url.path}: {response.status_code} {response.text[:300]}"
        assert response.status_code < 500 or response.status_code in AWAY, told
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code >= 400:
            assert media_type == PROBLEM, told
            problem = response.json()
            assert problem.keys() >= PROBLEM_FIELDS, told
            assert problem["status"] == response.status_code, told
            assert re.fullmatch("[a-z_]+", problem["code"]), told
        operation = self.operation(request.method, request.url.path)
        if operation is not None:
            documented = operation["responses"].get(str(response.status_code))
            assert documented is not None, f"undocumented: {told}"
            assert media_type in documented["content"], told
            schema = documented["content"][media_type]["schema"]
            wrong = [error.message for error in self._validator(schema).iter_errors(response.json())]
            assert not wrong, f"{wrong}: {told}"

    def _validator(self, schema: Json) -> Draft202012Validator:
        return Draft202012Validator(schema | {"components": self.document["components"]})
