"""The options that describe a job, shared by ``run`` and ``plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from dayfly.cli.environment import job_environment, pairs
from dayfly.cli.naming import complete_provider
from dayfly.cli.quantities import MEMORY, SECONDS
from dayfly.contract.jobs import JobSpec, JobTarget, Resources, TargetMode

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_MODES = {"clone": TargetMode.ATTACHED_CLONE, "run": TargetMode.ATTACHED_RUN}


class JobOptions(TypedDict):
    """What the options below put into a command's keyword arguments."""

    image: str
    env: tuple[str, ...]
    env_file: tuple[Path, ...]
    secret: tuple[str, ...]
    cpus: float | None
    memory: int | None
    cpu_time: int | None
    timeout: int | None
    grace: int | None
    name: str
    workdir: str
    user: str
    network: str
    platform: str
    entrypoint: str | None
    label: tuple[str, ...]
    target: str
    target_mode: str
    allow_redeploy: bool
    argv: tuple[str, ...]


_OPTIONS = (
    click.option(
        "--image", default="", metavar="IMAGE", help="Container image; none for a plain process."
    ),
    click.option(
        "-e",
        "--env",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="Set a variable; without a value it is passed on from here. Never for a secret.",
    ),
    click.option(
        "--env-file",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Read variables from a file, one NAME[=VALUE] a line.",
    ),
    click.option(
        "--secret",
        multiple=True,
        metavar="NAME=REFERENCE",
        help="Set a variable from a secret: env:NAME (of this environment), file:/PATH, "
        "keyring:SERVICE/USER, secret://NAME, or the provider's own form. Only the reference "
        "leaves this process.",
    ),
    click.option("--cpus", type=float, help="Virtual CPUs, such as 0.5."),
    click.option("-m", "--memory", type=MEMORY, help="Memory, such as 512m or 2g."),
    click.option("--cpu-time", type=SECONDS, help="CPU time in all, such as 90s."),
    click.option("--timeout", type=SECONDS, help="Stop the job after so long: 30s, 5m, 1h."),
    click.option("--grace", type=SECONDS, help="Time between TERM and KILL when it is stopped."),
    click.option("--name", default="", metavar="NAME", help="What to call the job."),
    click.option("-w", "--workdir", default="", metavar="PATH", help="Directory it starts in."),
    click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="User it runs as."),
    click.option("--network", default="", metavar="NETWORK", help="Network to join."),
    click.option("--platform", default="", metavar="OS/ARCH[/VARIANT]", help="Image's platform."),
    click.option("--entrypoint", metavar="PROGRAM", help="Replace the image's entry point."),
    click.option(
        "-l", "--label", multiple=True, metavar="NAME=VALUE", help="Label to find it by again."
    ),
    click.option(
        "--target", default="", metavar="NAME", help="Run from this existing app, service or job."
    ),
    click.option(
        "--target-mode",
        type=click.Choice(list(_MODES)),
        default="clone",
        help="clone: this job in the target's surroundings; run: the target's own definition.  "
        "[default: clone]",
    ),
    click.option(
        "--allow-redeploy", is_flag=True, help="Consent to a launch that redeploys the target."
    ),
    click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[--] [ARGV]..."),
)


def job_options(command: F) -> F:
    """Add the options that describe a job, and its argv."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def provider_option(command: F) -> F:
    """Add ``--on``: which provider."""
    return click.option(
        "--on",
        default="",
        metavar="PROVIDER",
        envvar="DAYFLY_PROVIDER",
        shell_complete=complete_provider,
        help="A configuration of dayfly.toml, or an installed plugin.  "
        "[env: DAYFLY_PROVIDER; default: as configured, else local]",
    )(command)


def job_spec(options: JobOptions) -> JobSpec:
    """The job that the options describe; its fields are checked by whoever launches it.

    Raises:
        InvalidField: An option's text is not of its form.
    """
    labels = pairs(options["label"], flag="--label", field="labels")
    target = JobTarget(allow_redeploy=options["allow_redeploy"])
    if options["target"]:
        target = JobTarget(
            mode=_MODES[options["target_mode"]],
            name=options["target"],
            allow_redeploy=options["allow_redeploy"],
        )
    return JobSpec(
        name=options["name"],
        image=options["image"],
        command=options["argv"],
        entrypoint=(options["entrypoint"],) if options["entrypoint"] is not None else (),
        env=job_environment(options["env"], options["env_file"]),
        secrets=pairs(options["secret"], flag="--secret", field="secrets"),
        resources=Resources(
            cpus=options["cpus"],
            memory_mib=options["memory"],
            cpu_time_seconds=options["cpu_time"],
        ),
        timeout_seconds=options["timeout"],
        grace_period_seconds=options["grace"],
        working_dir=options["workdir"],
        user=options["user"],
        network=options["network"],
        platform=options["platform"],
        labels=labels,
        target=target,
    )
