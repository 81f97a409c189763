"""Settings, from `SAV_…` environment variables."""

from decimal import Decimal
from typing import Literal

from pydantic import IPvAnyNetwork
from pydantic_settings import BaseSettings, SettingsConfigDict

from sav_contracts.files import MAX_BODY, MAX_UPLOAD
from sav_contracts.interventions.invoice import Seller


class Settings(BaseSettings):
    """What a process must be told. Each room's database is `<database_prefix>_<room>` on `database_url`."""

    model_config = SettingsConfigDict(env_prefix="SAV_", extra="ignore")

    environment: Literal["development", "production"] = "development"
    database_url: str = "postgresql://sav:sav@127.0.0.1:5432"
    database_prefix: str = "sav"
    broker_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    # Ed25519, PEM. Only auth signs; everybody verifies, by key id.
    signing_key: str = ""
    public_keys: dict[str, str] = {}
    # Signs the links in messages (invitation, later visit, estimate, feedback).
    link_secret: str = ""
    edge_host: str = "127.0.0.1"
    edge_port: int = 8080
    # How many may listen to changes at one replica of the edge at once.
    streams: int = 5_000
    # How many connections one replica of the edge has at once, streams among them; the others are told 503.
    connections: int = 10_000
    # Bytes of a request's head, of a body without files, and of one with them.
    max_head: int = 32_000
    max_body: int = MAX_BODY
    max_upload: int = MAX_UPLOAD
    # Seconds in which a request's head, and then its body, have to be there; and that an idle connection is kept.
    head_within: float = 10.0
    body_within: float = 60.0
    keep_alive: int = 75
    # Proxies that are believed when they say for whom they ask: `["10.0.0.0/8"]`.
    trusted_proxies: list[IPvAnyNetwork] = []
    # Where people reach the edge. With `https://…`, browsers are told never to come without TLS.
    public_url: str = ""
    # Multiplies the numbers of the policy `rate_limits`, for load tests; 0: nobody is limited.
    rate_limits_scale: float = 1.0
    # Days for which requests are kept for `GET /api/audit`: those that change something, and those that read.
    audit_days: int = 90
    audit_reads_days: int = 7
    # Where each process answers /live, /ready and /metrics, to whoever can reach it; 0: any free port.
    health_host: str = "127.0.0.1"
    health_port: int = 0
    # Where people open the links of messages: the frontend. Empty: messages name the API's route instead.
    frontend_url: str = ""
    # Where files are kept: `file:///…`, `s3://bucket/…` and what else obstore knows (credentials by its own variables).
    files_url: str = ""
    # `smtp://user:password@host:587` (STARTTLS where offered), `smtps://…`; empty: mail is kept in `mailbox`.
    smtp_url: str = ""
    mail_from: str = "SAV <sav@example.com>"
    mailbox: str = ""
    # Whose rates and mentions stand on invoices, who issues them, and what an hour and a kilometre cost (excluding VAT).
    jurisdiction: Literal["FR", "TN"] = "FR"
    seller: Seller = Seller(
        name="SAV Démonstration SARL",
        address="1 rue de l'Exemple, 75001 Paris",
        registration="SIREN 000 000 000",
        vat_number="FR00000000000",
    )
    labour_rate: Decimal = Decimal("62.00")
    travel_rate: Decimal = Decimal("0.90")
    # Whether an admin without a second factor may do no more than set one up.
    admin_second_factor: bool = False
    # Where the first admin's invitation goes; empty: `./sav up` prints a one-time code.
    first_admin_email: str = ""
    # Seconds a command may take before it must not be done any more.
    command_deadline: float = 5.0

    def database(self, room: str) -> str:
        """The URL of a room's database."""
        return f"{self.database_url.rstrip('/')}/{self.database_prefix}_{room}"
