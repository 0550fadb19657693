"""A job's output from a cursor on: which source, live or archived, and when that is all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from dayfly.contract.errors import DayflyError, InvalidField, NotFound
from dayfly.contract.jobs import JobState, LogBatch, LogQuery, Reason, Stream
from dayfly.providers.digitalocean.logs.addresses import Addresses
from dayfly.providers.digitalocean.logs.archive import archived
from dayfly.providers.digitalocean.logs.cursor import Cursor
from dayfly.providers.digitalocean.logs.live import Live
from dayfly.providers.digitalocean.logs.past import Past, last_lines
from dayfly.providers.digitalocean.logs.prefix import Prefix
from dayfly.providers.digitalocean.logs.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.digitalocean.client import AppPlatform
    from dayfly.providers.digitalocean.logs.addresses import Found
    from dayfly.providers.digitalocean.witnesses import Seen, Witnesses

T = TypeVar("T")

#: A live stream that was at its end is not opened again so soon.
_REST_SECONDS: Final = 30.0
_REMEMBERED: Final = 1000


class LogReader:
    """Reads output, of many jobs."""

    def __init__(self, api: AppPlatform, witnesses: Witnesses, settles_seconds: float) -> None:
        """Make one.

        Args:
            api: Who is asked.
            witnesses: Say how a job stands.
            settles_seconds: An archive of a job that ended so long ago has all of its output [?].
        """
        self._api = api
        self._addresses = Addresses(api)
        self._witnesses = witnesses
        self._settles = settles_seconds
        #: Job to the source, the bytes of it, and when its live stream was at its end.
        self._closed: OrderedDict[str, tuple[str, int, float]] = OrderedDict()
        self._codes: OrderedDict[str, int] = OrderedDict()

    async def read(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """What there is from the cursor on, and what comes while a live stream lasts.

        Raises:
            NotFound: There is no such job any more.
            InvalidField: The cursor is none of this provider's, or times are asked for.
            Unavailable: A stream broke; the last cursor leads on.
        """
        _refuse(query)
        cursor = Cursor.parse(query.cursor)
        seen = await self._witnesses.lately(handle)
        if seen.status.reason is Reason.LOST:
            raise NotFound(f"{seen.status.message}; its output went with it", field="handle.id")
        waiting = seen.status.state is JobState.PENDING and seen.phase != "DEPLOYING"
        if waiting or not seen.place.deployment or self._at_rest(handle, seen, cursor):
            return
        tail = query.tail_lines
        follow = query.follow and not seen.ended and tail is None
        only = cursor.source if cursor.had else ""
        found = await self._addresses.find(seen.place, seen.invocation, only=only, follow=follow)
        if found is None:
            return
        start = Cursor(found.source, cursor.had)
        batches = self._batches(handle, seen, found, start, follow=follow)
        async with aclosing(batches):
            if tail is None:
                async for batch in batches:
                    yield batch
            else:
                yield last_lines([batch async for batch in batches], tail, start)

    async def exit_code(self, handle: JobHandle) -> int | None:
        """What the job's own last line says; None where there is no such line."""
        if handle.id not in self._codes:
            try:
                async with aclosing(self.read(handle, LogQuery())) as batches:
                    async for _ in batches:
                        pass
            except DayflyError:
                return None
        return self._codes.get(handle.id)

    async def _batches(
        self, handle: JobHandle, seen: Seen, found: Found, start: Cursor, *, follow: bool
    ) -> AsyncGenerator[LogBatch, None]:
        prefix, sentinel = Prefix(seen.place.component), Sentinel(seen.place.sentinel)
        past = Past(start)
        live = Live(self._api, found.live, follow=follow) if found.live else None
        if live is None or (seen.ended and found.archives):
            chunks, live = archived(self._api, found.archives), None
        else:
            chunks = live.chunks()
        async with aclosing(chunks):
            async for chunk in chunks:
                if batch := past.take(sentinel.feed(prefix.feed(chunk))):
                    yield batch
        if live.ended if live else seen.ended:
            rest = sentinel.feed(prefix.finish()) + sentinel.finish()
            if sentinel.code is not None:
                _remember(self._codes, handle.id, sentinel.code)
            # Of an archive that is still written, the rest may be the half of something.
            if (live or self._is_all(handle, seen, past, rest)) and (batch := past.take(rest)):
                yield batch
        if follow and live and live.ended:
            _remember(self._closed, handle.id, (found.source, past.total, _now()))
        if seen.ended and (live.ended if live else self._is_all(handle, seen, past)):
            yield LogBatch(stream=Stream.COMBINED, data=b"", cursor=past.cursor, end=True)

    def _settled(self, handle: JobHandle, seen: Seen, past: Past) -> bool:
        """Nothing is added to an archive any more, as far as that can be told."""
        ended, closed = seen.status.ended, self._closed.get(handle.id)
        if closed is not None and closed[0] == past.source:
            return True
        return ended is not None and (datetime.now(UTC) - ended).total_seconds() > self._settles

    def _is_all(self, handle: JobHandle, seen: Seen, past: Past, rest: bytes = b"") -> bool:
        """The archive has all of the output: no less, too, than what was seen live."""
        source, size, _ = self._closed.get(handle.id, ("", 0, 0.0))
        least = max(size if source == past.source else 0, past.start)
        return past.total + len(rest) >= least and self._settled(handle, seen, past)

    def _at_rest(self, handle: JobHandle, seen: Seen, cursor: Cursor) -> bool:
        """The live stream was at its end a moment ago, and the end of the job is yet to come."""
        source, size, at = self._closed.get(handle.id, ("", 0, float("-inf")))
        had = source == cursor.source and cursor.had >= size
        return not seen.ended and had and _now() - at < _REST_SECONDS


def _refuse(query: LogQuery) -> None:
    asked = {"timestamps": query.timestamps, "since": query.since is not None}
    for name, given in asked.items():
        if given:
            raise InvalidField(
                f"{name}: the digitalocean provider gives no time with a line of output", field=name
            )


def _remember(table: OrderedDict[str, T], name: str, value: T) -> None:
    table[name] = value
    table.move_to_end(name)
    if len(table) > _REMEMBERED:
        table.popitem(last=False)


def _now() -> float:
    return asyncio.get_running_loop().time()
