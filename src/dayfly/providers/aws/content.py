"""Definitions named by what is in them: equal content has one name, registered once, reused."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_DIGITS: Final = 20


def content_name(content: Mapping[str, object], prefix: str = "dayfly") -> str:
    """``<prefix>-<20 hexadecimal digits of the SHA-256 of the content>``.

    Args:
        content: What a definition is registered with, without its name; JSON's types only.
        prefix: What the name begins with.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


class Registered:
    """ARNs of definitions by name: each is found or registered by one call at a time."""

    def __init__(self) -> None:
        self._arns: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str, find_or_register: Callable[[], Awaitable[str]]) -> str:
        """The ARN of the definition with this name.

        Args:
            name: As ``content_name`` makes it.
            find_or_register: Asked where the ARN is not known yet; of those that ask for one
                name at the same time, one calls it and the others get its answer. After a
                failure the next one calls it again.

        Raises:
            Exception: What ``find_or_register`` raised.
        """
        if name not in self._arns:
            async with self._locks.setdefault(name, asyncio.Lock()):
                if name not in self._arns:
                    self._arns[name] = await find_or_register()
        return self._arns[name]

    def forget(self, name: str) -> None:
        """Ask again next time: the definition was found to be gone."""
        self._arns.pop(name, None)
