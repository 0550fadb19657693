"""One change of an app at a time, within this process."""

from __future__ import annotations

import asyncio


class Turns:
    """A lock for each app. Other processes are kept out by looking for what changed."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, app: str) -> asyncio.Lock:
        """The app's lock."""
        return self._locks.setdefault(app, asyncio.Lock())
