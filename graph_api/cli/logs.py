"""Logging, configured once: time, level, name, a fixed sentence and its fields."""

import logging
import logging.config
import time
from typing import Any

# What every record has; the rest are the fields that were passed as `extra`.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"}


class Fields(logging.Formatter):
    """A line a record: `2026-01-31T12:00:00Z INFO name Sentence field=value`."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        fields = [f"{name}={value}" for name, value in extra.items()]
        return " ".join([super().formatMessage(record), *fields])


def logging_configuration(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and for uvicorn's workers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"fields": {"()": Fields}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "fields"}
        },
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {
            # What they tell of each start and stop, we tell ourselves.
            "uvicorn": {"level": "DEBUG" if level == "debug" else "WARNING"},
            "alembic": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }


def configure_logging(level: str) -> None:
    """Let the program's log go to standard error."""
    logging.config.dictConfig(logging_configuration(level))
