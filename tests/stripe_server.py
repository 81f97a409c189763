"""A local server that speaks Stripe's API, as far as checkouts and refunds need it, and signs news as Stripe does."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET, KEY = "whsec_test", "sk_test_local"


class StripeServer:
    """What it was asked for, by idempotency key; `away` makes it fail, `loses_answers` after it did what was asked; `refuses` names why."""

    def __init__(self) -> None:
        self.asked: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.expired: list[str] = []
        self.away = self.loses_answers = False
        self.refuses = ""
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                sent = {name: values[-1] for name, values in parse_qs(body).items()}
                status, told = here.answer(self.path, sent, dict(self.headers))
                if here.loses_answers:
                    status, told = 503, {"error": {"type": "api_error", "message": "lost"}}
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str, sent: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """As Stripe answers: a key that was used with the same parameters gives the same answer."""
        if self.away:
            return 503, {"error": {"type": "api_error", "message": "away"}}
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}
        if self.refuses:
            return 400, {"error": {"type": self.refuses, "message": "refused"}}
        self.requests.append((path, sent))
        if path.endswith("/expire"):
            return self._expire(path.split("/")[-2])
        key = headers["Idempotency-Key"]
        if key in self.asked:
            was, before, told = self.asked[key]
            if (was, before) != (path, sent):
                return 400, {"error": {"type": "idempotency_error", "message": "other parameters"}}
            return 200, told
        number = len(self.asked) + 1
        if path == "/v1/checkout/sessions":
            name = f"cs_test_{number}"
            told = {"id": name, "object": "checkout.session", "url": f"https://checkout.stripe.com/c/{name}"}
        else:
            told = {"id": f"re_{number}", "object": "refund", "status": "succeeded"}
        self.asked[key] = path, sent, told
        return 200, told

    def _expire(self, name: str) -> tuple[int, dict[str, Any]]:
        if name in self.expired:
            said = "Only Checkout Sessions with a status in [open] can be expired."
            return 400, {"error": {"type": "invalid_request_error", "message": said}}
        self.expired.append(name)
        return 200, {"id": name, "object": "checkout.session", "status": "expired"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def signature(payload: str, at: int, secret: str = SECRET) -> str:
    """The header `Stripe-Signature`."""
    signed = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def event(kind: str, thing: dict[str, Any], id: str = "evt_1") -> str:
    """An event as Stripe sends it."""
    return json.dumps({"id": id, "object": "event", "type": kind, "data": {"object": thing}})
