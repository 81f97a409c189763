"""Settings, from `SAV_…` environment variables."""

from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


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
    # Seconds a command may take before it must not be done any more.
    command_deadline: float = 5.0

    def database(self, room: str) -> str:
        """The URL of a room's database."""
        return f"{self.database_url.rstrip('/')}/{self.database_prefix}_{room}"
