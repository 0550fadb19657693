"""An agent's log on stderr: a line a record, whatever callers send."""

from __future__ import annotations

import logging

from dayfly.cli.printing import printable


class OneLine(logging.Formatter):
    """What a caller sent begins no other line, and steers no terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The record's line."""
        return printable(super().formatMessage(record)).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        return printable(super().format(record))


def holds_no_header(record: logging.LogRecord) -> bool:
    """A header that is no UTF-8 is logged by gRPC with its value, which may be the token."""
    return not str(record.msg).startswith("Invalid encoding on")


def log_to_stderr() -> None:
    """Begin."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(holds_no_header)
    logging.basicConfig(handlers=[handler], level=logging.INFO)
