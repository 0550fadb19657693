"""Where a job's output is: addresses that carry a token and expire."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tests.emulators.digitalocean import clock
from tests.emulators.digitalocean.deploying import find_deployment, find_run
from tests.emulators.digitalocean.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.emulators.digitalocean.calls import Call
    from tests.emulators.digitalocean.runs import Run

PREFIX: Final = "/_logs/"
_SECRET: Final = secrets.token_bytes(32)


def of_invocation(call: Call) -> dict[str, Any]:
    """apps_get_job_invocation_logs."""
    return _answer(call, find_run(call), "JOB_INVOCATION")


def of_component(call: Call) -> dict[str, Any]:
    """apps_get_logs."""
    deployment = find_deployment(call)
    names = {str(one["name"]) for one in deployment.spec.get("jobs") or ()}
    if call.path["job"] not in names:
        raise ApiError(400, f"component {call.path['job']} not found")
    run = deployment.runs.get(call.path["job"])
    return _answer(call, run, call.query.get("type", "UNSPECIFIED"))


def _answer(call: Call, run: Run | None, kind: str) -> dict[str, Any]:
    """Addresses; the same answer whatever the component, as long as its phase was reached."""
    if run is None or run.started_at is None or kind not in run.knobs.log_types:
        raise ApiError(400, f"deployment has not reached the {kind} phase")
    closed, knobs = run.output.closed_at, run.knobs
    archived = closed is not None and clock.now() >= closed + knobs.archive_lag_seconds
    found: dict[str, Any] = {}
    if not archived or knobs.live_with_archive:
        follow = call.query.get("follow", "false") == "true"
        token = sign(run, "live", knobs.log_url_seconds) | {"follow": str(follow).lower()}
        found["live_url"] = f"{call.base}{PREFIX}live/{run.id}?{urlencode(token)}"
    if archived:
        token = sign(run, "archive", knobs.log_url_seconds)
        base = f"{call.base}{PREFIX}archive/{run.id}"
        found["historic_urls"] = [
            f"{base}/{number}?{urlencode(token)}" for number in range(len(files(run)))
        ]
    return found


def files(run: Run) -> list[bytes]:
    """What is archived by now, cut where lines end."""
    knobs, output = run.knobs, run.output
    data = bytes(output.data) if knobs.archive_raw else output.text()
    settled = (output.closed_at or 0) + knobs.archive_lag_seconds + knobs.archive_settle_seconds
    if clock.now() < settled:
        data = data[: data.rfind(b"\n", 0, len(data) // 2) + 1]
    found = []
    while len(data) > knobs.archive_file_bytes:
        cut = data.rfind(b"\n", 0, knobs.archive_file_bytes) + 1 or knobs.archive_file_bytes
        found.append(data[:cut])
        data = data[cut:]
    if data or (not found and knobs.archive_of_nothing):
        found.append(data)
    return found


def sign(run: Run, what: str, seconds: float) -> dict[str, str]:
    """A token that is good for so long."""
    expires = f"{clock.now() + seconds:.3f}"
    return {"token": _digest(run, what, expires), "expires": expires}


def is_good(run: Run, what: str, query: Mapping[str, str]) -> bool:
    """Whether a token was given here, and is not over."""
    expires = query.get("expires", "")
    if not hmac.compare_digest(query.get("token", ""), _digest(run, what, expires)):
        return False
    return clock.now() < float(expires)


def _digest(run: Run, what: str, expires: str) -> str:
    return hmac.new(_SECRET, f"{run.id} {what} {expires}".encode(), "sha256").hexdigest()
