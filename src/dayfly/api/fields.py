"""What a job is, as a caller of the API writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dayfly.contract.jobs import Isolation, JobSpec, JobTarget, Resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class JobFields(TypedDict, total=False):
    """What a job is, beside its command. A provider refuses what it cannot carry out.

    Attributes:
        image: Container image; left out for a provider that runs processes.
        entrypoint: Replaces the image's entry point.
        env: Plain variables. Never a secret.
        secrets: Variable to secret reference, such as ``env:DATABASE_URL``.
        cpus: Virtual CPUs.
        memory: Memory in MiB.
        cpu_time: CPU time in all, in seconds.
        timeout: Wall-clock limit in seconds; beyond it the job is stopped, TIMED_OUT.
        grace: Seconds between TERM and KILL when the job is stopped.
        name: What to call it; made from the command when left out.
        working_dir: Directory it starts in.
        user: ``user[:group]``.
        network: Network to join.
        platform: ``os/arch[/variant]``.
        labels: For finding it again.
        isolation: What it is kept from, part by part.
        target: Run from something that exists, instead of on its own.
    """

    image: str
    entrypoint: Sequence[str]
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    cpus: float
    memory: int
    cpu_time: int
    timeout: int
    grace: int
    name: str
    working_dir: str
    user: str
    network: str
    platform: str
    labels: Mapping[str, str]
    isolation: Isolation
    target: JobTarget


def job_spec(command: Sequence[str] | str, job: JobFields) -> JobSpec:
    """The job as the contract has it; whoever launches it checks its fields."""
    line = isinstance(command, str)
    return JobSpec(
        command=() if line else tuple(command),
        run_command=str(command) if line else "",
        image=job.get("image", ""),
        entrypoint=tuple(job.get("entrypoint", ())),
        env=dict(job.get("env", {})),
        secrets=dict(job.get("secrets", {})),
        resources=Resources(
            cpus=job.get("cpus"),
            memory_mib=job.get("memory"),
            cpu_time_seconds=job.get("cpu_time"),
        ),
        timeout_seconds=job.get("timeout"),
        grace_period_seconds=job.get("grace"),
        name=job.get("name", ""),
        working_dir=job.get("working_dir", ""),
        user=job.get("user", ""),
        network=job.get("network", ""),
        platform=job.get("platform", ""),
        labels=dict(job.get("labels", {})),
        isolation=job.get("isolation", Isolation()),
        target=job.get("target", JobTarget()),
    )


def variables_to_pass(spec: JobSpec) -> tuple[str, ...]:
    """Names of our variables that the plugin needs, to resolve ``env:NAME`` secrets."""
    return tuple(
        reference.removeprefix("env:")
        for reference in spec.secrets.values()
        if reference.startswith("env:")
    )
