"""How often a provider may be asked."""

from __future__ import annotations

import asyncio


class Pace:
    """Turns for calls, so many a second; and a pause for all when the provider asks for one."""

    def __init__(self, calls_per_second: float) -> None:
        self._gap = 1 / calls_per_second if calls_per_second > 0 else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until a call may be made."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        mine = max(self._next, now)
        self._next = mine + self._gap
        if mine > now:
            await asyncio.sleep(mine - now)

    def rest(self, seconds: float) -> None:
        """Let nobody call for so many seconds."""
        self._next = max(self._next, asyncio.get_running_loop().time() + seconds)
