"""The capabilities, as Protocols. A provider implements them; so does the host's client.

Each is optional. A capability that is None is neither served nor announced, and a
caller sees None. There are no ``supports_x`` flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dayfly.contract.jobs import (
        JobHandle,
        JobSpec,
        JobStatus,
        LogBatch,
        LogQuery,
        Progress,
        Submission,
        Submitted,
    )
    from dayfly.contract.provider import (
        Check,
        Description,
        JobPlan,
        Leftover,
        ListedJob,
        Region,
    )


class JobRunner(Protocol):
    """The classic service: run, look, read (``IaCProviderRunner``)."""

    async def run_job(self, spec: JobSpec) -> JobHandle:
        """Start the job; every call starts another one."""
        ...

    async def job_status(self, handle: JobHandle) -> JobStatus:
        """Where the job stands. Raises NotFound where there is no such job."""
        ...

    def job_logs(self, handle: JobHandle) -> AsyncIterator[LogBatch]:
        """The job's output from its beginning; cursors are empty."""
        ...


class JobCanceler(Protocol):
    """Stops jobs (``IaCProviderJobCanceler``)."""

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask for the stop; the watch sees it happen. A job that ended is left as it is."""
        ...


class JobSubmitter(Protocol):
    """Launches jobs, once per key (``dayfly.v1.Submit``)."""

    async def describe(self) -> Description:
        """What can be honoured, and the pace. Needs no network."""
        ...

    async def check(self) -> Sequence[Check]:
        """Look at what a launch depends on."""
        ...

    async def plan(self, submission: Submission) -> JobPlan:
        """What ``submit`` would send. Creates nothing."""
        ...

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch, or adopt what the key already has.

        Raises:
            AlreadyExists: The key belongs to a job with another spec.
            InvalidField: A field cannot be carried out; nothing was created.
        """
        ...

    async def find(self, key: str) -> JobHandle | None:
        """The job of this key, or None."""
        ...


class JobObserver(Protocol):
    """Reads jobs and changes nothing (``dayfly.v1.Observe``)."""

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One status per handle, in their order; UNKNOWN where there is no record."""
        ...

    def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        """What there is from the cursor on.

        The iterator may end before the job does: the caller asks again from the last
        cursor. A batch with ``end`` says that nothing will ever follow.

        Raises:
            NotFound: There is no such job, or its output is gone.
            InvalidField: The cursor is not one of this job's.
        """
        ...


class JobEventSource(Protocol):
    """Says which jobs changed (``dayfly.v1.Events``)."""

    def events(self, handles: Sequence[JobHandle]) -> AsyncIterator[str]:
        """Ids of handles that changed; no handles means all of this provider's own."""
        ...


class JobInventory(Protocol):
    """Knows what is there, and removes it (``dayfly.v1.Inventory``)."""

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every job that dayfly made here and that is still known."""
        ...

    async def delete(self, handle: JobHandle) -> None:
        """Remove the job and what was made for it; what is gone already is no error.

        Raises:
            FailedPrecondition: The job has not ended.
        """
        ...

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove what ended runs left, or only say what would go."""
        ...


class RegionLister(Protocol):
    """Lists regions (``IaCProviderRegionLister``)."""

    async def list_regions(self, env_name: str) -> Sequence[Region]:
        """Regions on offer for an environment."""
        ...


class LogCapturer(Protocol):
    """Captures a resource's logs (``IaCProviderLogCapture``)."""

    def capture_logs(
        self,
        *,
        resource_name: str,
        resource_type: str,
        provider_id: str,
        component_name: str,
        log_type: str,
        tail_lines: int,
        follow: bool,
        duration_seconds: int,
        deployment_id: str,
    ) -> AsyncIterator[LogBatch]:
        """Output of a resource that is not a job; ``log_type`` as BUILD, DEPLOY, RUN."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What one provider serves; each is a capability or None."""

    runner: JobRunner | None = None
    canceler: JobCanceler | None = None
    submitter: JobSubmitter | None = None
    observer: JobObserver | None = None
    events: JobEventSource | None = None
    inventory: JobInventory | None = None
    regions: RegionLister | None = None
    log_capture: LogCapturer | None = None
