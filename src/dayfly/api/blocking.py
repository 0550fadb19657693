"""``dayfly.run``: one job from its launch to its removal, for a caller without an event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from dayfly.api.connection import connect
from dayfly.api.fields import JobFields, job_spec, variables_to_pass
from dayfly.contract.errors import DayflyError, FailedPrecondition
from dayfly.contract.jobs import JobState, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobStatus, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended and what it printed.

    Attributes:
        name: The job's name.
        key: Its idempotency key.
        status: The provider's last word on it.
        stdout: What it wrote there, whole; all of the output where the provider does
            not keep the streams apart.
        stderr: What it wrote there, whole.
    """

    name: str
    key: str
    status: JobStatus
    stdout: bytes
    stderr: bytes

    @property
    def exit_code(self) -> int | None:
        """0 to 255; None where the provider does not give one."""
        return self.status.exit_code

    @property
    def state(self) -> JobState:
        """SUCCEEDED, FAILED or CANCELLED; UNKNOWN where the job was lost."""
        return self.status.state

    @property
    def reason(self) -> Reason | None:
        """Why it ended as it did."""
        return self.status.reason

    @property
    def ok(self) -> bool:
        """It succeeded."""
        return self.status.state is JobState.SUCCEEDED


def run(
    command: Sequence[str] | str = (),
    *,
    on: str = "",
    key: str | None = None,
    keep: bool = False,
    **job: Unpack[JobFields],
) -> Result:
    """Run a job to its end, collect its output, and remove what it left in the cloud.

    The output is held in memory; read a large one through ``connect``. Ctrl-C cancels
    the job and waits for its stop. Variables that ``env:NAME`` secrets name are passed
    on to the plugin.

    Args:
        command: argv, or one line for ``/bin/sh -c``.
        on: A configuration of dayfly.toml or an installed plugin; empty is the default.
        key: Idempotency key; None is a random one.
        keep: Do not remove the ended job.
        job: What the job is; see ``JobFields``.

    Raises:
        FailedPrecondition: It was called from a running event loop.
        DayflyError: As ``Connection.run``, and when the output or the end cannot be read.
    """
    import asyncio  # noqa: PLC0415 - keeps the import light

    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises
        raise FailedPrecondition(
            "dayfly.run was called from a running event loop, which it would block",
            advice="There, use: async with dayfly.connect(...) as provider.",
        )
    return asyncio.run(_run(command, on=on, key=key, keep=keep, job=job))


async def _run(
    command: Sequence[str] | str, *, on: str, key: str | None, keep: bool, job: JobFields
) -> Result:
    spec = job_spec(command, job)
    async with connect(on, pass_env=variables_to_pass(spec)) as provider:
        running = await provider.jobs.launch(spec, key=key, follow=True)
        printed: dict[Stream, bytearray] = {stream: bytearray() for stream in Stream}
        try:
            async for batch in running.output():
                printed[batch.stream] += batch.data
        except DayflyError:
            await running.wait()  # Output that cannot be read does not stop the job.
            raise
        status = await running.wait()
        if not keep:
            await running.delete()
    return Result(
        name=running.name,
        key=running.key,
        status=status,
        stdout=bytes(printed[Stream.STDOUT] + printed[Stream.COMBINED]),
        stderr=bytes(printed[Stream.STDERR]),
    )
