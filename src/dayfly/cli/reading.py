"""Output of a job that somebody else launched, on its way to stdout and stderr."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.cli.sink import Sink
from dayfly.contract.jobs import Stream

if TYPE_CHECKING:
    from datetime import datetime

    from dayfly.jobs import Job, LogRecord


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Which part of the output; see ``LogQuery``."""

    follow: bool
    since: datetime | None
    tail_lines: int | None
    timestamps: bool


async def copy_output(job: Job, reading: Reading) -> None:
    """Copy the bytes as they are.

    Raises:
        BrokenPipeError: The reader has gone.
    """
    async with Sink() as sink:
        async for batch in job.output(
            follow=reading.follow, since=reading.since, tail_lines=reading.tail_lines
        ):
            await sink.write(2 if batch.stream is Stream.STDERR else 1, batch.data)
        await sink.flush()


async def copy_lines(job: Job, reading: Reading, *, as_json: bool) -> None:
    """Copy line by line, with times in front or as JSON.

    Raises:
        BrokenPipeError: The reader has gone.
    """
    async with Sink() as sink:
        async for record in job.logs(
            follow=reading.follow,
            since=reading.since,
            tail_lines=reading.tail_lines,
            timestamps=True,
        ):
            if as_json:
                await sink.write(1, _as_json(record))
            else:
                time = record.time.isoformat() if record.time else "-"
                descriptor = 2 if record.stream is Stream.STDERR else 1
                await sink.write(descriptor, f"{time} ".encode() + record.line + b"\n")
        await sink.flush()


def _as_json(record: LogRecord) -> bytes:
    try:
        text = record.line.decode()
    except UnicodeDecodeError:
        text = None
    fields = {
        "stream": record.stream.name.lower(),
        "time": record.time.isoformat() if record.time else None,
        "text": text,
        "base64": base64.b64encode(record.line).decode(),
    }
    return json.dumps(fields).encode() + b"\n"
