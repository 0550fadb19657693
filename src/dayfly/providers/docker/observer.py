"""Reading jobs: their states, their output, and the engine's word that one changed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DataLoss, NotFound
from dayfly.contract.groups import together
from dayfly.contract.jobs import LogQuery
from dayfly.providers.docker import containers
from dayfly.providers.docker.states import ALIVE, gone, running_from_list, status_from_inspect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from typing import Any

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch
    from dayfly.providers.docker.answers import ByteStream
    from dayfly.providers.docker.cursors import Cursor
    from dayfly.providers.docker.logs import Batcher
    from dayfly.providers.docker.session import Session

_INSPECTS_AT_ONCE: Final = 16
#: The engine ends an attached stream just before it knows the container as ended. Longer
#: than this, the stream was cut for another reason.
_END_SECONDS: Final = 3.0

_CHANGES: Final = ["start", "die", "oom", "rename", "destroy"]


class Observer:
    """Reads containers (``dayfly.v1.Observe`` and ``dayfly.v1.Events``)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inspecting = asyncio.Semaphore(_INSPECTS_AT_ONCE)

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One list for what runs, and one look each at what does not."""
        if len(handles) == 1:
            return [await self._inspect(handles[0])]
        rows = await self._session.engine.list_labelled(containers.KEY)
        return await self.from_rows(handles, {str(row["Id"]): row for row in rows})

    async def from_rows(
        self, handles: Sequence[JobHandle], rows: Mapping[str, Mapping[str, Any]]
    ) -> Sequence[JobStatus]:
        """Statuses of handles, given the engine's list by id."""

        async def one(handle: JobHandle) -> JobStatus:
            row = rows.get(handle.id)
            if row is not None and row.get("State") in ALIVE:
                return running_from_list(handle, row)
            return await self._inspect(handle)

        return await together(one(handle) for handle in handles)

    async def _inspect(self, handle: JobHandle) -> JobStatus:
        from dayfly.providers.docker.client import is_reference  # noqa: PLC0415 - after the handshake

        if not is_reference(handle.id):
            return gone(handle)
        async with self._inspecting:
            container = await self._session.engine.inspect(handle.id)
        return status_from_inspect(handle, container) if container else gone(handle)

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """Output from the cursor on; live from the first byte where a launch kept a stream."""
        from dayfly.providers.docker.cursors import Cursor  # noqa: PLC0415 - after the handshake
        from dayfly.providers.docker.logs import (  # noqa: PLC0415 - after the handshake
            Batcher,
            tail_start,
        )

        engine = self._session.engine
        start = Cursor.parse(query.cursor)
        stream = self._session.attached.claim(handle.id)
        if stream is not None:
            if query == LogQuery(follow=True):
                async with aclosing(self._live(handle, stream, Batcher(start))) as batches:
                    async for batch in batches:
                        yield batch
                return
            await stream.aclose()
        if query.tail_lines is not None:
            ended = (await self._readable(handle)).final
            tail = await tail_start(engine, handle.id, query.tail_lines, ended=ended)
            start = Cursor(max(start.out, tail.out), max(start.err, tail.err))
        async with aclosing(self._kept(handle, query, start, Batcher(start))) as batches:
            async for batch in batches:
                yield batch

    async def _live(
        self, handle: JobHandle, stream: ByteStream, batcher: Batcher
    ) -> AsyncGenerator[LogBatch, None]:
        from dayfly.providers.docker.logs import live  # noqa: PLC0415 - after the handshake

        try:
            async with aclosing(live(stream, batcher)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            await stream.aclose()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._session.engine.wait(handle.id)
        except TimeoutError:
            # Cut while the job runs on: the caller comes back with its cursor.
            return
        yield batcher.end()

    async def _kept(
        self, handle: JobHandle, query: LogQuery, start: Cursor, batcher: Batcher
    ) -> AsyncGenerator[LogBatch, None]:
        from dayfly.providers.docker.logs import kept  # noqa: PLC0415 - after the handshake

        status = await self._readable(handle)
        if status.started is None:
            if status.final:
                yield batcher.end()
            return
        engine, ended = self._session.engine, status.final
        batches = kept(engine, handle.id, query, ended=ended, batcher=batcher, skip=start)
        async with aclosing(batches):
            async for batch in batches:
                yield batch
        # Only a reading that began after the end is known to have all of it.
        if ended:
            yield batcher.end()

    async def _readable(self, handle: JobHandle) -> JobStatus:
        container = await self._session.engine.inspect(handle.id)
        if container is None:
            raise NotFound(
                f"the engine has no container {handle.id[:12]}; its output went with it",
                field="handle.id",
            )
        driver = container["HostConfig"]["LogConfig"]["Type"]
        if driver not in {"local", "json-file", "journald"}:
            raise DataLoss(f"container {handle.id[:12]} logs to {driver!r}, which keeps no output")
        return status_from_inspect(handle, container)

    async def events(self, handles: Sequence[JobHandle]) -> AsyncGenerator[str, None]:
        """Ids of containers that the engine says changed."""
        wanted = {handle.id for handle in handles}
        filters = {"type": ["container"], "label": [containers.KEY], "event": _CHANGES}
        stream = await self._session.engine.events(filters)
        try:
            async with aclosing(stream.documents()) as documents:
                async for document in documents:
                    changed = str(document.get("Actor", {}).get("ID", ""))
                    if changed and (not wanted or changed in wanted):
                        yield changed
        finally:
            await stream.aclose()
