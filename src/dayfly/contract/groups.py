"""Work done together: asyncio's TaskGroup, without what it leaves behind."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from types import TracebackType

T = TypeVar("T")


class TaskGroup(asyncio.TaskGroup):
    """A group after whose failure its task counts as cancelled no more than before.

    Before Python 3.13 a child that fails while the group is being left adds a cancellation
    that is never taken back, and before 3.11.3 (Debian 12 has 3.11.2) every later
    ``asyncio.timeout`` of that task then raises CancelledError instead of TimeoutError.
    """

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the children, as asyncio's does."""
        before = self._cancelled_parent
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            task = asyncio.current_task()
            if sys.version_info < (3, 13) and task and self._cancelled_parent and not before:
                task.uncancel()

    @property
    def _cancelled_parent(self) -> bool:
        # Private to asyncio, and the same in every Python that needs it.
        return bool(getattr(self, "_parent_cancel_requested", False))


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All of them at once, and their results in order.

    Raises:
        Exception: The first failure, as it is; the others are cancelled by it.
    """
    try:
        async with TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
