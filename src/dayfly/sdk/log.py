"""The plugin's log: one JSON object a line on the original stderr, as Go hosts read it."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import Final

from dayfly.sdk.redaction import redact

_LEVELS: Final = (
    (logging.ERROR, "error"),
    (logging.WARNING, "warn"),
    (logging.INFO, "info"),
    (logging.DEBUG, "debug"),
)

#: Go hosts read lines of up to 64 KiB, and JSON may spell a character in six.
_MAX_CHARACTERS: Final = 5000


class HclogHandler(logging.Handler):
    """Writes records to a descriptor. Every ``@`` field is text: Go hosts panic on others."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; what cannot be written goes the way of ``logging``'s own errors."""
        try:
            line = self.format(record).encode() + b"\n"
            while line:
                line = line[os.write(self._descriptor, line) :]
        except Exception:  # noqa: BLE001 - a log that fails must not fail the job
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """A record as hclog's JSON, without any secret."""
        fields = {
            "@level": next((name for level, name in _LEVELS if record.levelno >= level), "trace"),
            "@message": _shown(record.getMessage()),
            "@module": record.name,
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="microseconds"
            ),
        }
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            fields["traceback"] = _shown(trace, end=True)
        return json.dumps(fields)


def start(descriptor: int) -> None:
    """Send every logger's records of INFO and above to the host."""
    root = logging.getLogger()
    root.addHandler(HclogHandler(descriptor))
    root.setLevel(logging.INFO)
    # A request's line would tell its URL, and URLs carry tokens.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # It says so when a handler fails, on a stderr that is a pipe to ourselves.
    logging.raiseExceptions = False


def _shown(text: str, *, end: bool = False) -> str:
    text = redact(text)
    if len(text) <= _MAX_CHARACTERS:
        return text
    return "..." + text[-_MAX_CHARACTERS:] if end else text[:_MAX_CHARACTERS] + "..."
