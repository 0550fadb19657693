"""What ``dayfly.jobs`` warns of while a command runs, on the way to whoever runs it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from dayfly.cli.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")


class _Passer(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Pass on each warning as a sentence.

    Args:
        tell: Says it on stderr.
    """
    logger, passer = logging.getLogger("dayfly.jobs"), _Passer(tell)
    logger.addHandler(passer)
    try:
        yield
    finally:
        logger.removeHandler(passer)


def run_told(work: Coroutine[object, object, T]) -> T:
    """Run a command's work in an event loop of its own; what is warned of goes to stderr."""
    with warnings_told(say):
        return asyncio.run(work)
