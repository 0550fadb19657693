"""Definitions named by what is in them: equal content has one name, registered once, reused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

#: What begins the name of a definition that is for one run alone.
RUN_DEFINITION: Final = "dayfly-run"

_DIGITS: Final = 20
_OWN: Final = re.compile(rf"dayfly-(run-)?[0-9a-f]{{{_DIGITS}}}")
_REMEMBERED: Final = 1000


def content_name(content: Mapping[str, object], prefix: str = "dayfly") -> str:
    """``<prefix>-<20 hexadecimal digits of the SHA-256 of the content>``.

    Args:
        content: What a definition is registered with, without its name; JSON's types only.
        prefix: What the name begins with.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def is_own(name: str) -> bool:
    """A definition of this name is dayfly's."""
    return bool(_OWN.fullmatch(name))


class Registered:
    """ARNs of definitions by name: each is found or registered by one call at a time."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        """Remember so many; what was forgotten is found again."""
        self._remembered = remembered
        self._arns: dict[str, str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

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
        if name in self._arns:
            return self._arns[name]
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._arns:
                arn = await find_or_register()
                if len(self._arns) >= self._remembered:
                    self._arns.clear()
                self._arns[name] = arn
            return self._arns[name]

    def forget(self, name: str) -> None:
        """Ask again next time: the definition was found to be gone."""
        self._arns.pop(name, None)
