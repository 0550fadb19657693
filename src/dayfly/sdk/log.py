"""The plugin's log: one JSON object a line on the original stderr, as hclog writes it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import IO

from dayfly.sdk.redaction import redact

logger = logging.getLogger("dayfly.plugin")

_LEVELS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "error",
}

#: A Go host reads lines of at most 64 KiB.
_LONGEST = 32 * 1024


class HclogFormatter(logging.Formatter):
    """Formats a record as hclog does. A Go host panics unless every ``@`` field is text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, without secrets."""
        message = redact(super().format(record))[:_LONGEST]
        return json.dumps(
            {
                "@level": _LEVELS.get(record.levelno, "info"),
                "@message": message,
                "@module": record.name,
                "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            }
        )


def log_to(stream: IO[str]) -> None:
    """Send everything that this process logs to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(HclogFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # A request's line would tell its URL, and URLs carry tokens.
    logging.getLogger("httpx").setLevel(logging.WARNING)
