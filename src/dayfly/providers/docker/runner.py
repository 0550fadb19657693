"""The session with one engine, and what the provider says of itself and launches."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Protocol

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.providers.docker.attached import AttachedStreams
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dayfly.contract.jobs import JobHandle, Progress, Submission, Submitted
    from dayfly.contract.provider import Check
    from dayfly.providers.docker.client import Engine
    from dayfly.providers.docker.config import Config

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
    }
)


class SecretSource(Protocol):
    """Turns references into values, in this process."""

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms of reference that are taken."""
        ...

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable names to values."""
        ...


class Session:
    """What every capability shares: the engine, the settings, the attached streams."""

    def __init__(self) -> None:
        self.attached = AttachedStreams()
        self._engine: Engine | None = None
        self._config: Config | None = None
        self._secrets: SecretSource | None = None

    async def configure(self, config: Config, secrets: SecretSource) -> None:
        """Take the settings, also again; nothing is sent to the engine yet.

        Raises:
            InvalidField: The engine's address is of no use.
            FailedPrecondition: The docker context or its TLS files are of no use.
        """
        # Imported now: the host has dialled already, and waits for no import.
        from dayfly.providers.docker.client import Engine  # noqa: PLC0415
        from dayfly.providers.docker.contexts import find_endpoint  # noqa: PLC0415

        engine = Engine(find_endpoint(config, os.environ))
        await self.close()
        self._engine, self._config, self._secrets = engine, config, secrets

    async def close(self) -> None:
        """Let go of every connection."""
        await self.attached.close()
        if self._engine is not None:
            await self._engine.close()
            self._engine = None

    @property
    def engine(self) -> Engine:
        """The engine's calls.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        if self._engine is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return self._engine

    @property
    def config(self) -> Config:
        """The settings.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        if self._config is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return self._config

    @property
    def secret_forms(self) -> tuple[str, ...]:
        """Forms of secret reference that are taken."""
        return self._secrets.forms if self._secrets else ()

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable names to secret values, for the engine only."""
        if not references:
            return {}
        if self._secrets is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return await self._secrets.resolve(references)


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
            notes=(f"Pull of {spec.image}: {self._session.config.pull}.",),
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
