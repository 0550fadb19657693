"""What the provider says of itself, and what it launches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dayfly.contract.jobs import JobHandle, Progress, Submission, Submitted
    from dayfly.contract.provider import Check
    from dayfly.providers.docker.session import Session

HONOURS = frozenset(
    {
        "image",
        "command",
        "run_command",
        "entrypoint",
        "env",
        "secrets",
        "resources.cpus",
        "resources.memory_mib",
        "grace_period_seconds",
        "working_dir",
        "user",
        "network",
        "platform",
        "labels",
        "isolation.no_network",
        "isolation.read_only_root",
        "isolation.no_new_privileges",
        "isolation.drop_capabilities",
        "isolation.pids_limit",
        "isolation.tmpfs",
    }
)

_PULLS = {
    "missing": "{} is pulled first where the engine does not have it.",
    "always": "{} is pulled first, also where the engine has it.",
    "never": "{} is not pulled; the engine must have it.",
}


class Submitter:
    """Launches containers (``dayfly.v1.Submit``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def describe(self) -> Description:
        """What can be honoured; the engine is not asked."""
        return Description(
            provider="docker",
            version=__version__,
            honours=HONOURS,
            limits={
                "resources.cpus": "0.01 up to the engine's CPUs",
                "resources.memory_mib": "6 MiB or more; swap is not used beyond it",
                "network": "a network of the engine, host, none, or container:NAME",
                "isolation.drop_capabilities": "as the engine's kernel names them",
            },
            side_effects=("Pulls the image where the engine does not have it, and keeps it.",),
            secret_forms=self._session.secret_forms,
            separates_streams=True,
            statuses_per_call=1000,
            poll_min_seconds=0.2,
            poll_max_seconds=5.0,
        )

    async def check(self) -> Sequence[Check]:
        """Whether the engine is there, new enough, and can do what jobs ask for."""
        from dayfly.providers.docker.checks import run_checks  # noqa: PLC0415 - for doctor only

        return await run_checks(self._session.engine, self._session.config)

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch, with secrets as references."""
        from dayfly.providers.docker import containers  # noqa: PLC0415 - after the handshake

        spec = submission.spec
        containers.refuse(spec)
        name = containers.container_name(submission)
        query = {"name": name} | ({"platform": spec.platform} if spec.platform else {})
        body = containers.create_body(submission, spec.secrets)
        secret = ", ".join(spec.secrets)
        return JobPlan(
            calls=(
                _planned(
                    "POST /containers/create",
                    {"query": query, "body": body},
                    f"The plugin puts the values of {secret} into Env." if secret else "",
                ),
                _planned(f"POST /containers/{name}/start", {}),
            ),
            notes=(_PULLS[self._session.config.pull].format(spec.image),),
        )

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch, or adopt what the key already has."""
        from dayfly.providers.docker import containers, launch  # noqa: PLC0415 - after the handshake

        containers.refuse(submission.spec)
        return await launch.launch(self._session, submission, report)

    async def find(self, key: str) -> JobHandle | None:
        """The key's container, or None."""
        from dayfly.providers.docker import launch  # noqa: PLC0415 - after the handshake

        row = await launch.find(self._session, key)
        return launch.handle_of(row) if row else None


def _planned(call: str, request: Mapping[str, Any], note: str = "") -> PlannedCall:
    return PlannedCall(call=call, request=json.dumps(request, indent=2), note=note)
