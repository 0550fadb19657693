r"""Dayfly runs one container, once, on a cloud's own job runner, and tells how it ended.

    import dayfly

    result = dayfly.run(["echo", "hello"])
    assert result.exit_code == 0 and result.stdout == b"hello\n"

    async with dayfly.connect("prod") as prod:
        job = await prod.run(["./migrate"], image="registry.example/app:1.4")
        async for record in job.logs():
            print(record.text)
        status = await job.wait()

Names are imported when they are first used, so that ``import dayfly`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dayfly.version import __version__

if TYPE_CHECKING:
    from dayfly.api import Connection, Result, connect, run
    from dayfly.contract.errors import DayflyError
    from dayfly.contract.jobs import (
        Isolation,
        JobHandle,
        JobSpec,
        JobState,
        JobStatus,
        JobTarget,
        Reason,
    )
    from dayfly.jobs import Job, LogRecord

_HOMES = {
    "Connection": "dayfly.api",
    "Result": "dayfly.api",
    "connect": "dayfly.api",
    "run": "dayfly.api",
    "DayflyError": "dayfly.contract.errors",
    "Isolation": "dayfly.contract.jobs",
    "JobHandle": "dayfly.contract.jobs",
    "JobSpec": "dayfly.contract.jobs",
    "JobState": "dayfly.contract.jobs",
    "JobStatus": "dayfly.contract.jobs",
    "JobTarget": "dayfly.contract.jobs",
    "Reason": "dayfly.contract.jobs",
    "Job": "dayfly.jobs",
    "LogRecord": "dayfly.jobs",
}

__all__ = [
    "Connection",
    "DayflyError",
    "Isolation",
    "Job",
    "JobHandle",
    "JobSpec",
    "JobState",
    "JobStatus",
    "JobTarget",
    "LogRecord",
    "Reason",
    "Result",
    "__version__",
    "connect",
    "run",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dayfly' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
