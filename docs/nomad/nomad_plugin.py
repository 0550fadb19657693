"""A provider for HashiCorp Nomad: a batch job of one task, on its Docker driver."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from dayfly.contract.errors import (
    AlreadyExists,
    InvalidField,
    NotFound,
    ProviderFailed,
    Unavailable,
)
from dayfly.contract.identity import intent_digest, key_digest
from dayfly.contract.jobs import (
    ExitCodeSource,
    JobHandle,
    JobState,
    JobStatus,
    LogBatch,
    Reason,
    Stream,
    Submitted,
)
from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.sdk import Plugin, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from dayfly.contract.jobs import JobSpec, LogQuery, Progress, Submission
    from dayfly.contract.provider import Check

HONOURS = frozenset({"image", "command", "run_command", "env", "grace_period_seconds"})
STATES = {"pending": JobState.PENDING, "running": JobState.RUNNING}


class Nomad:
    """Submitter, observer and canceler."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient()

    async def configure(self, document: Mapping[str, object]) -> None:
        """Take ``address``, and refuse all else."""
        for key in document.keys() - {"address"}:
            raise InvalidField(f"{key} is no setting of nomad; allowed: address", field=key)
        await self.close()
        address = str(document.get("address", "http://127.0.0.1:4646"))
        self._http = httpx.AsyncClient(base_url=address, timeout=30)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._http.aclose()

    async def describe(self) -> Description:
        """What can be honoured; everything else is refused before this code sees it."""
        return Description(provider="nomad", version="0.1.0", honours=HONOURS)

    async def check(self) -> Sequence[Check]:
        """Nothing is looked at."""
        return ()

    async def plan(self, submission: Submission) -> JobPlan:
        """The one request of a launch."""
        request = json.dumps(registration(submission), indent=2)
        return JobPlan(calls=(PlannedCall(call="PUT /v1/jobs", request=request),))

    async def submit(self, submission: Submission, _: Callable[[Progress], None]) -> Submitted:
        """Register the key's job, which must not be there; or adopt the one that is."""
        name, intent = job_id(submission.key), intent_digest(submission.spec)
        handle = JobHandle(id=name, name=name, provider="nomad")
        answer = await self._ask("PUT", "/v1/jobs", json=registration(submission), known=(500,))
        if answer.status_code == 200:
            return Submitted(handle=handle)
        if "Enforcing job modify index" not in answer.text:
            raise ProviderFailed(f"registering {name}: Nomad answered 500: {answer.text[:300]}")
        found = (await self._ask("GET", f"/v1/job/{name}")).json()
        if found["Meta"]["dayfly_intent"] != intent:
            raise AlreadyExists(
                f"the key already has {name}, which is a different job", field="key"
            )
        return Submitted(handle=handle, adopted=True)

    async def find(self, key: str) -> JobHandle | None:
        """The key's job, or None."""
        name = job_id(key)
        if (await self._ask("GET", f"/v1/job/{name}", known=(404,))).status_code == 404:
            return None
        return JobHandle(id=name, name=name, provider="nomad")

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """How each stands, by its one allocation."""
        return [status_of(handle, await self._allocation(handle)) for handle in handles]

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """What there is from the cursor on: two offsets, in bytes."""
        if not (had := re.fullmatch(r"(\d+)\.(\d+)|", query.cursor)):
            raise InvalidField(f"{query.cursor[:80]!r} is no cursor of nomad's", field="cursor")
        offsets = [int(had[1] or 0), int(had[2] or 0)]
        allocation = await self._allocation(handle)
        if not allocation or allocation["ClientStatus"] == "pending":
            return
        path = f"/v1/client/fs/logs/{allocation['ID']}"
        for place, stream in enumerate((Stream.STDOUT, Stream.STDERR)):
            kind = stream.name.lower()
            asked = {"task": "job", "type": kind, "plain": "true", "origin": "start"}
            data = (await self._ask("GET", path, params=asked | {"offset": offsets[place]})).content
            offsets[place] += len(data)
            if data:
                yield LogBatch(stream=stream, data=data, cursor=f"{offsets[0]}.{offsets[1]}")

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask for the stop; whoever asked waits for it elsewhere."""
        await self._ask("DELETE", f"/v1/job/{handle.id}")

    async def _allocation(self, handle: JobHandle) -> dict[str, Any] | None:
        answer = await self._ask("GET", f"/v1/job/{handle.id}/allocations")
        return next(iter(answer.json()), None)

    async def _ask(
        self, method: str, path: str, known: tuple[int, ...] = (), **more: Any
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unavailable(f"{method} {path}: Nomad cannot be reached: {error!r}") from error
        if answer.is_success or answer.status_code in known:
            return answer
        kind = {404: NotFound, 400: InvalidField}.get(answer.status_code, ProviderFailed)
        raise kind(f"{method} {path}: Nomad answered {answer.status_code}: {answer.text[:300]}")


def job_id(key: str) -> str:
    """The name of a key's job: a second launch collides with the first."""
    return f"dayfly-{key_digest(key)}"


def registration(submission: Submission) -> dict[str, Any]:
    """The body of a launch; index 0 says that there must be no such job yet."""
    spec: JobSpec = submission.spec
    command, *arguments = spec.argv or ("",)
    config = {"image": spec.image} | ({"command": command, "args": arguments} if command else {})
    task: dict[str, Any] = {
        "Name": "job",
        "Driver": "docker",
        "Config": config,
        "Env": dict(spec.env),
    }
    if spec.grace_period_seconds is not None:
        task["KillTimeout"] = spec.grace_period_seconds * 10**9
    group = {
        "Name": "job", "Tasks": [task], "RestartPolicy": {"Attempts": 0, "Mode": "fail"},
        "ReschedulePolicy": {"Attempts": 0, "Unlimited": False},
    }  # fmt: skip
    meta = {"dayfly_intent": intent_digest(spec)}
    job = {"ID": job_id(submission.key), "Type": "batch", "TaskGroups": [group], "Meta": meta}
    return {"Job": job, "EnforceIndex": True, "JobModifyIndex": 0}


def status_of(handle: JobHandle, allocation: dict[str, Any] | None) -> JobStatus:
    """An allocation in dayfly's words; what Nomad does not say stays unknown."""
    if allocation is None:
        return JobStatus(handle=handle, state=JobState.PENDING)
    said = allocation["ClientStatus"]
    if said in STATES:
        return JobStatus(handle=handle, state=STATES[said])
    task = (allocation.get("TaskStates") or {}).get("job") or {}
    ends = [event for event in task.get("Events") or () if event["Type"] == "Terminated"]
    code = ends[-1]["ExitCode"] if ends else None
    if allocation.get("DesiredStatus") == "stop" and said != "lost":
        state, reason = JobState.CANCELLED, Reason.CANCELLED
    elif code is None:
        state, reason = JobState.FAILED, Reason.NEVER_STARTED
    else:
        state = JobState.FAILED if code else JobState.SUCCEEDED
        reason = Reason.EXITED_NONZERO if code else Reason.COMPLETED
    source = ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED
    return JobStatus(
        handle=handle,
        state=state,
        reason=reason,
        exit_code=code,
        exit_code_source=source,
        evidence=f"ClientStatus={said}",
        started=time(task.get("StartedAt")),
        ended=time(task.get("FinishedAt")),
    )


def time(text: str | None) -> datetime | None:
    """Nomad has nanoseconds, which Python has not."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC) if text else None


if __name__ == "__main__":
    nomad = Nomad()
    serve(
        Plugin(
            name="nomad", version="0.1.0", author="You", description="Runs an image on Nomad.",
            initialize=nomad.configure, close=nomad.close,
            submitter=nomad, observer=nomad, canceler=nomad,
        )
    )  # fmt: skip
