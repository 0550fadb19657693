"""The local provider's capabilities: calls on the machine, no behaviour."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dayfly.contract.errors import DataLoss, NotFound
from dayfly.contract.identity import intent_digest, key_digest, name_for
from dayfly.contract.jobs import JobHandle, JobState, LogBatch, Stream, Submitted
from dayfly.contract.provider import Description, JobPlan, ListedJob, PlannedCall
from dayfly.providers.local import errors, layout
from dayfly.providers.local.client import Client
from dayfly.providers.local.environment import (
    INHERITED,
    check_program,
    environment_of,
    working_directory,
)
from dayfly.providers.local.events import Ends
from dayfly.providers.local.states import gone, status_of
from dayfly.sdk.secrets import SecretResolver
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dayfly.contract.jobs import JobSpec, JobStatus, LogQuery, Progress, Submission
    from dayfly.contract.provider import Check, Leftover
    from dayfly.providers.local.config import Config
    from dayfly.providers.local.output import Reader

P = ParamSpec("P")
T = TypeVar("T")

_DEFAULT_GRACE_SECONDS = 10

_PORTABLE_HONOURS = frozenset(
    {
        "command", "run_command", "env", "secrets", "timeout_seconds", "grace_period_seconds",
        "working_dir", "labels",
    }
)  # fmt: skip
#: These take the kernel's view of a whole tree of processes.
_LINUX_HONOURS = frozenset({"resources.memory_mib", "resources.cpu_time_seconds"})

_LIMITS = {
    "env": f"a job inherits {', '.join(INHERITED)} and LC_* alone",
    "grace_period_seconds": f"{_DEFAULT_GRACE_SECONDS} s where none is given",
    "working_dir": "an absolute path; the caller's own directory where none is given",
    "timeout_seconds": "kept by the supervisor, with nobody watching",
    "resources.memory_mib": "resident memory that is no file's, of all the job's processes "
    "together, looked at 20 times a second; one process alone cannot map more than 4 times as much",
    "resources.cpu_time_seconds": "of all the job's processes together; then TIMED_OUT",
}


class Local:
    """Submit, observe, cancel, list: over directories that supervisors write."""

    def __init__(self, config: Config) -> None:
        self.configure(config)
        self._host = socket.gethostname()
        self._listeners: set[Ends] = set()

    def configure(self, config: Config) -> None:
        """Take a configuration, the first or another one."""
        self._state = config.state_dir
        self._client = Client(config.state_dir)
        self._secrets = SecretResolver(config.secrets)

    async def describe(self) -> Description:
        """What a process of this machine can honour."""
        honours = _PORTABLE_HONOURS | (_LINUX_HONOURS if sys.platform == "linux" else frozenset())
        return Description(
            provider="local",
            version=__version__,
            honours=honours,
            limits={field: text for field, text in _LIMITS.items() if field in honours},
            side_effects=(f"keeps the job's output under {self._client.jobs} until it is removed",),
            secret_forms=SecretResolver.forms,
            statuses_per_call=1000,
            poll_min_seconds=0.02,
            poll_max_seconds=1.0,
        )

    async def check(self) -> Sequence[Check]:
        """Look at the state directory and the platform."""
        from dayfly.providers.local.checks import run_checks  # noqa: PLC0415 - for doctor alone

        return await asyncio.to_thread(run_checks, self._state)

    async def plan(self, submission: Submission) -> JobPlan:
        """The command that would be executed, checked."""
        self._secrets.check(submission.spec.secrets)
        document = self._launch_document(submission.spec, {})
        shown = {**document, "secrets": dict(submission.spec.secrets)}
        path = self._client.jobs / key_digest(submission.key)
        return JobPlan(
            calls=(
                PlannedCall(call="mkdir", request=json.dumps({"path": str(path)})),
                PlannedCall(
                    call="execve",
                    request=json.dumps(shown, ensure_ascii=False),
                    note="under a supervisor that outlives dayfly",
                ),
            )
        )

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Start the command, or adopt the job that the key has."""
        del report  # It is started at once.
        spec, key = submission.spec, submission.key
        if (adopted := await self._adopt(submission)) is not None:
            return adopted
        document = self._launch_document(spec, await self._secrets.resolve(spec.secrets))
        job_id, digest = key_digest(key), intent_digest(spec)
        name = spec.name or name_for(key)
        job = {
            "version": layout.VERSION,
            "key": key,
            "name": name,
            "digest": digest,
            "labels": dict(spec.labels),
            "created": time.time_ns(),
        }
        with errors.explained(f"launching job {name!r}", self._client.jobs):
            made = await asyncio.to_thread(self._client.launch, job_id, job, document)
        for listener in self._listeners:
            listener.add(job_id, self._client.jobs / job_id)
        return Submitted(handle=self._handle(job_id, name), adopted=not made)

    async def find(self, key: str) -> JobHandle | None:
        """The job of a key."""
        job_id = key_digest(key)
        try:
            # A crash before the start leaves a directory that no supervisor will ever take.
            if not await self._call(self._client.is_launched, job_id):
                return None
            record = await self._call(self._client.read, job_id)
        except NotFound:
            return None
        return self._handle(job_id, str(record.job.get("name", "")))

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One status per handle.

        Raises:
            FailedPrecondition: All of them are another machine's.
        """
        hosts = [self._other_host(handle) for handle in handles]
        if handles and all(hosts):
            raise errors.elsewhere(handles[0].id, hosts[0], self._host)
        return await self._call(lambda: [self._status(handle) for handle in handles])

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        """What there is from the cursor on; it ends there, whether followed or not."""
        from dayfly.providers.local.output import Reader  # noqa: PLC0415 - not for a launch

        self._check_host(handle)
        told = handle.id
        reader: Reader = await self._call(lambda: Reader(self._client.path(told), query))
        pages, sent = reader.batches(), False
        while batches := await self._call(lambda: next(pages, None)):
            for batch in batches:
                sent = True
                yield batch
        if reader.ended or not sent:
            # A tail of nothing has a cursor too: what comes next is not part of the tail.
            yield LogBatch(
                stream=Stream.STDOUT, data=b"", cursor=str(reader.position), end=reader.ended
            )

    async def events(self, handles: Sequence[JobHandle]) -> AsyncIterator[str]:
        """Ids of jobs that ended; with no handles, of all that run or are launched here."""
        ends = Ends()
        if not handles:
            self._listeners.add(ends)
        try:
            for job_id in await self._watched(handles):
                ends.add(job_id, self._client.jobs / job_id)
            while not handles or ends.waiting:
                yield await ends.next()
        finally:
            self._listeners.discard(ends)
            ends.close()

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask the supervisor to stop the job; one that ended is left as it is."""
        self._check_host(handle)
        await self._call(self._client.stop, handle.id)

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every job of this state directory."""
        return await self._call(
            lambda: [listed for job_id in self._client.ids() if (listed := self._listed(job_id))]
        )

    async def delete(self, handle: JobHandle) -> None:
        """Remove an ended job's directory."""
        self._check_host(handle)
        await self._call(self._client.remove, handle.id)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove the directories of ended jobs, and what crashes left of others."""
        from dayfly.providers.local.leftovers import prune  # noqa: PLC0415 - not for a launch

        jobs = await self.list_jobs()
        return await self._call(
            lambda: prune(
                self._client, jobs, dry_run=dry_run, older_than_seconds=older_than_seconds
            )
        )

    async def _adopt(self, submission: Submission) -> Submitted | None:
        """The key's job where it was started already: its secrets are not needed again."""
        job_id = key_digest(submission.key)
        try:
            record = await self._call(self._client.read, job_id)
        except NotFound:
            return None
        if record.job.get("digest") != intent_digest(submission.spec):
            raise errors.other_intent(job_id)
        if record.started is None and record.result is None:
            return None
        return Submitted(handle=self._handle(job_id, str(record.job.get("name", ""))), adopted=True)

    def _launch_document(self, spec: JobSpec, secrets: dict[str, str]) -> dict[str, object]:
        cwd = working_directory(spec)
        env = environment_of(spec, secrets, cwd)
        check_program(spec, env, cwd)
        memory, grace = spec.resources.memory_mib, spec.grace_period_seconds
        return {
            "argv": list(spec.argv),
            "env": env,
            "cwd": cwd,
            "timeout_seconds": spec.timeout_seconds,
            "cpu_time_seconds": spec.resources.cpu_time_seconds,
            "memory_bytes": None if memory is None else memory * 2**20,
            "grace_seconds": _DEFAULT_GRACE_SECONDS if grace is None else grace,
        }

    def _handle(self, job_id: str, name: str) -> JobHandle:
        metadata = {"host": self._host, "state": str(self._state)}
        return JobHandle(id=job_id, name=name, provider="local", metadata=metadata)

    def _other_host(self, handle: JobHandle) -> str:
        host = handle.metadata.get("host", self._host)
        return "" if host == self._host else host

    def _check_host(self, handle: JobHandle) -> None:
        if host := self._other_host(handle):
            raise errors.elsewhere(handle.id, host, self._host)

    def _status(self, handle: JobHandle) -> JobStatus:
        if host := self._other_host(handle):
            return gone(handle, lost=False, message=f"it is on the machine {host!r}")
        try:
            return status_of(handle, self._client.read(handle.id))
        except NotFound as error:
            ours = handle.metadata.get("state") == str(self._state)
            return gone(handle, lost=ours, message=error.message)

    def _listed(self, job_id: str) -> ListedJob | None:
        handle = self._handle(job_id, "")
        try:
            record = self._client.read(job_id)
        except NotFound:
            return None  # It was removed since the directory was read.
        except DataLoss as error:
            return ListedJob(
                status=gone(handle, lost=True, message=error.message), warning=error.message
            )
        status = status_of(self._handle(job_id, str(record.job.get("name", ""))), record)
        unfinished = status.state in {JobState.UNKNOWN, JobState.PENDING}
        return ListedJob(
            status=status,
            key=str(record.job.get("key", "")),
            labels={str(k): str(v) for k, v in dict(record.job.get("labels", {})).items()},
            warning=status.message if unfinished else "",
        )

    async def _watched(self, handles: Sequence[JobHandle]) -> list[str]:
        if handles:
            return [handle.id for handle in handles if not self._other_host(handle)]
        jobs = await self.list_jobs()
        return [job.status.handle.id for job in jobs if job.status.state is JobState.RUNNING]

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Off the loop, with what the system refuses explained."""
        with errors.explained("using the state of local jobs", self._client.jobs):
            return await asyncio.to_thread(call, *args, **kwargs)
