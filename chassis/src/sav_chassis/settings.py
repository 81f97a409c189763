"""Settings, from `SAV_…` environment variables."""

from typing import Any, Literal

from pydantic import IPvAnyNetwork
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from sav_contracts.files import MAX_BODY, MAX_UPLOAD

# An edge that listens there is reached at this machine's own address.
EVERYWHERE = ("0.0.0.0", "::")


class _Environment(EnvSettingsSource):
    """The variables; what is no JSON stays a text, which is refused with the name of its setting like any wrong value."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class _FromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SAV_", extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)


class RoomSettings(_FromEnvironment):
    """The settings of one room; a subclass is in the room's `settings.py`."""


class Settings(_FromEnvironment):
    """The settings of every process. Each room's database is `<database_prefix>_<room>` on `database_url`."""

    environment: Literal["development", "production"] = "development"
    database_url: str = "postgresql://sav:sav@127.0.0.1:5432"
    database_prefix: str = "sav"
    broker_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    # Ed25519, PEM. Only auth signs; every room verifies, by key id.
    signing_key: str = ""
    public_keys: dict[str, str] = {}
    # Signs the links in messages (invitation, later visit, estimate, feedback).
    link_secret: str = ""
    edge_host: str = "127.0.0.1"
    edge_port: int = 8080
    # The most streams at one replica of the edge.
    streams: int = 5_000
    # The most connections at one replica of the edge, including streams. No address gets more than are still free.
    connections: int = 10_000
    # Bytes of a request's head, of a body without files, and of a body with files.
    max_head: int = 32_000
    max_body: int = MAX_BODY
    max_upload: int = MAX_UPLOAD
    # Seconds for the head of a request, then for its body; and how long an idle connection stays open.
    head_within: float = 10.0
    body_within: float = 60.0
    keep_alive: int = 75
    # Proxies whose statement of the client's address is trusted: `["10.0.0.0/8"]`.
    trusted_proxies: list[IPvAnyNetwork] = []
    # The edge's address for people. With `https://…`, browsers are told to use TLS only.
    public_url: str = ""
    # Multiplies the numbers of the policy `rate_limits`, for load tests. 0 switches the limits off.
    rate_limits_scale: float = 1.0
    # Days for which `GET /api/audit` keeps requests that change something, and requests that read.
    audit_days: int = 90
    audit_reads_days: int = 7
    # Where each process answers /live, /ready and /metrics, to anyone who can reach it. Port 0: any free port.
    health_host: str = "127.0.0.1"
    health_port: int = 0
    # The frontend, where people open the links of messages. Empty: they open the edge's own pages.
    frontend_url: str = ""
    # Where files are kept: `file:///…`, `s3://bucket/…` or another URL of obstore, whose own variables hold the
    # credentials.
    files_url: str = ""
    # `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…`. Empty: mail is kept in `mailbox`.
    smtp_url: str = ""
    mail_from: str = "SAV <sav@example.com>"
    mailbox: str = ""
    # Whether an admin without a second factor can do nothing but set one up.
    admin_second_factor: bool = False
    # Address for the first admin's invitation. Empty: `./sav up` prints a one-time code.
    first_admin_email: str = ""
    # Seconds in which a command must be done; later it must not be.
    command_deadline: float = 5.0

    def database(self, room: str) -> str:
        """The URL of a room's database."""
        return f"{self.database_url.rstrip('/')}/{self.database_prefix}_{room}"

    def page(self, name: str, token: str, language: str) -> str:
        """The address that a link in a message opens: a page of the frontend; without one the edge's own, in a language.

        Empty where nobody has said the edge's address, which only development may leave open.
        """
        if self.frontend_url:
            return f"{self.frontend_url.rstrip('/')}/{name}?token={token}"
        edge = self.edge_site
        return f"{edge}/{name}?token={token}&lang={language}" if edge else ""

    @property
    def edge_site(self) -> str:
        """The edge's address for people, without a slash at its end. Empty in production where nobody has said it."""
        if self.public_url or self.environment != "development":
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.edge_host in EVERYWHERE else self.edge_host
        return f"http://{host}:{self.edge_port}"
