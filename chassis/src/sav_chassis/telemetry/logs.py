"""JSON logs on standard output, one object a line, with the correlation id of the current work."""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic_core import to_json
from structlog.contextvars import get_contextvars

# Never log local variables: they hold tokens and passwords.
_tracebacks = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure() -> None:
    """Structured logs for our code, and the same form for the libraries' warnings."""
    structlog.configure(
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _text]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("asyncpg.pool").addFilter(_briefly)


def _briefly(record: logging.LogRecord) -> bool:
    """Shortens the pool's tracebacks while the database is away: each failed attempt logs the same one."""
    if record.exc_info:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
        record.exc_info = None
    return True


def write(event: str, **said: object) -> None:
    """Writes a line like `log.info`, in less than half of the time: for lines that each request writes."""
    sys.stdout.buffer.write(_line(None, "info", {**said, "event": event}) + b"\n")
    sys.stdout.buffer.flush()


def _line(logger: object, level: str, said: MutableMapping[str, Any]) -> bytes:
    """Does the work of all processors in one function, which makes a line cost a third less."""
    if "exc_info" in said:
        said = _tracebacks(logger, level, said)
    return to_json(
        {**get_contextvars(), **said, "level": level, "timestamp": datetime.now(UTC)}, fallback=str
    )


def _text(logger: object, level: str, said: MutableMapping[str, Any]) -> str:
    return _line(logger, level, said).decode()
