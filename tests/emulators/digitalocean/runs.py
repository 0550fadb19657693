"""One run of one job in one deployment, and the invocation that may show it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.digitalocean import clock
from tests.emulators.digitalocean.output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.emulators.digitalocean.executors.order import Ended
    from tests.emulators.digitalocean.knobs import Knobs


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """A job's run.

    Attributes:
        app: Id of its app.
        deployment: Id of its deployment.
        job: The component, with its secrets sealed.
        knobs: As they were when its deployment was made.
        status: Of its step: PENDING, RUNNING, SUCCESS or ERROR.
        ended: How; None until then.
        stop: Set when it is to be stopped.
        stopped: It was, before it had ended by itself.
        cancelled: Its own invocation was cancelled.
        code: The step's reason,
        message: in words.
        cuts: How often its live stream was cut.
    """

    app: str
    deployment: str
    job: Mapping[str, Any]
    knobs: Knobs
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: float = field(default_factory=clock.now)
    status: str = "PENDING"
    started_at: float | None = None
    ended_at: float | None = None
    ended: Ended | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False
    cancelled: bool = False
    code: str = ""
    message: str = ""
    cuts: int = 0
    output: Output = field(init=False)

    def __post_init__(self) -> None:
        self.output = Output(self.name if self.knobs.log_prefix else "")

    @property
    def name(self) -> str:
        """Of its component."""
        return str(self.job["name"])

    def begin(self) -> None:
        """Its container runs."""
        self.status, self.started_at = "RUNNING", clock.now()

    def end(self, ended: Ended) -> None:
        """Its container has ended, or never came to be."""
        self.ended, self.ended_at = ended, clock.now()
        self.output.close()
        self.stopped = self.stop.is_set()
        if ended.exit_code == 0 and not self.stopped:
            self.status = "SUCCESS"
            return
        self.status = "ERROR"
        self.code, self.message = ended.code, ended.message
        if self.stopped and not self.cancelled:
            return
        if not self.code and ended.oom:
            self.code, self.message = self.knobs.oom_code, "the container ran out of memory"
        elif not self.code:
            self.code = self.knobs.nonzero_code
            self.message = "container exited with a non-zero exit code"

    def step(self) -> dict[str, Any]:
        """Its step in the deployment's progress."""
        said: dict[str, Any] = {"name": self.name, "status": self.status}
        said |= _times(self.knobs, started_at=self.started_at, ended_at=self.ended_at)
        if self.code:
            said["reason"] = {"code": self.code, "message": self.message}
        inner = said | {"name": "run", "component_name": self.name, "message_base": "Running job"}
        return said | {"component_name": self.name, "steps": [inner]}

    def invocation(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "job_name": self.name,
            "deployment_id": self.deployment,
            "phase": self._phase(),
            "trigger": {"type": "UNKNOWN"},
            "created_at": clock.fine(self.created_at),
            **_times(self.knobs, started_at=self.started_at, completed_at=self.ended_at),
        }

    def visible(self) -> bool:
        """Whether the API shows an invocation of it."""
        lag = self.knobs.invocation_lag_seconds
        return self.knobs.invocations and clock.now() >= self.created_at + lag

    def _phase(self) -> str:
        if self.status == "ERROR":
            return "CANCELED" if self.stopped else "FAILED"
        return {"SUCCESS": "SUCCEEDED"}.get(self.status, self.status)


def _times(knobs: Knobs, **moments: float | None) -> dict[str, str]:
    unset = dict.fromkeys(moments, clock.ZERO) if knobs.zero_times else {}
    return unset | {name: clock.fine(at) for name, at in moments.items() if at is not None}
