"""For all tests."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING
from zlib import crc32

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

# In the background of a shell SIGINT is ignored, and every process that is started inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow, which is no fault of what is tested; pytest-timeout bounds it.
settings.register_profile("dayfly", deadline=None)
settings.load_profile("dayfly")


#: Rooms whose files take a minute or more, because their tests start processes or containers.
_LONG = {"conformance", "crash", "cli", "interop", "docs", "sandbox"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, and in an order that mixes those that wait and compute."""

    def turn(item: pytest.Item) -> tuple[bool, int, str]:
        rooms, name = set(item.path.parts), str(item.path.relative_to(item.config.rootpath))
        return not rooms & _LONG, crc32(name.encode()), name

    items.sort(key=turn)
