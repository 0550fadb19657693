"""``dayfly exec``: a command in a sandbox, its output, its exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from dayfly.cli.environment import job_environment, pairs
from dayfly.cli.printing import print_json, say
from dayfly.cli.quantities import MEMORY, SECONDS
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.sandbox import Command, ExecResult, Sandbox

_MIB = 1 << 20


class ExecOptions(TypedDict):
    """What the options below put into the command's keyword arguments."""

    exec_env: str | None
    provider: str | None
    argo_module: str | None
    image: str | None
    profile: str | None
    network: str | None
    workdir: str | None
    user: str | None
    cpus: float | None
    memory: int | None
    timeout: int | None
    max_output: int | None
    best_effort: bool
    env: tuple[str, ...]
    env_file: tuple[Path, ...]
    secret: tuple[str, ...]
    argv: tuple[str, ...]


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    help="YAML with a step of type step.sandbox_exec; options win over it.",
)
@click.option("--step", default="", metavar="NAME", help="Which step of the file.")
@click.option(
    "--exec-env",
    metavar="NAME",
    help="local-docker, ephemeral, provider-ephemeral, or a runner of dayfly.toml.  "
    "[default: local-docker]",
)
@click.option("--provider", metavar="NAME", help="Where provider-ephemeral runs it.")
@click.option("--argo-module", metavar="NAME", help="Where ephemeral runs it.")
@click.option(
    "--image",
    metavar="IMAGE",
    help="Container image.  [default: cgr.dev/chainguard/wolfi-base:latest]",
)
@click.option(
    "--profile", metavar="NAME", help="strict, standard or permissive.  [default: strict]"
)
@click.option(
    "--profile-best-effort",
    "best_effort",
    is_flag=True,
    help="Leave out what the environment cannot honour of the profile, and say so.",
)
@click.option(
    "-e",
    "--env",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Set a variable; a value secret://NAME is a reference, and goes as one.",
)
@click.option(
    "--env-file",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Read variables from a file, one NAME[=VALUE] a line.",
)
@click.option(
    "--secret",
    multiple=True,
    metavar="NAME=REFERENCE",
    help="Set a variable from a reference, such as env:DATABASE_URL or secret://NAME.",
)
@click.option("--cpus", type=float, help="Virtual CPUs, instead of the profile's.")
@click.option("-m", "--memory", type=MEMORY, help="Memory, instead of the profile's.")
@click.option("--timeout", type=SECONDS, help="Stop it after so long: 30s, 5m, 1h.")
@click.option("--network", metavar="NETWORK", help="Network to join; none is no network.")
@click.option("-w", "--workdir", metavar="PATH", help="Directory it starts in.")
@click.option("-u", "--user", metavar="USER[:GROUP]", help="User it runs as.")
@click.option(
    "--max-output", type=MEMORY, help="Pass on so much of each stream, and mark where it was cut."
)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[--] [ARGV]...")
@shared_options
@pass_settings
def exec(  # noqa: A001 - the command's own name
    settings: Settings, *, file: Path | None, step: str, **options: Unpack[ExecOptions]
) -> int:
    """Run ARGV in a sandbox, stream its output, exit with its code.

    What dayfly says goes to stderr. With --output json, stdout holds one JSON object at
    the end, and what the command printed is in it.

    The first Ctrl-C stops the command and waits until it has stopped; the second leaves
    at once.
    """
    from dayfly.cli.exec_foreground import collected, streamed  # noqa: PLC0415 - not for --help

    command, fails = _command(file, step, options)
    sandbox = _sandbox(command)
    if settings.json:
        result, code = collected(sandbox, command)
        if result is None:
            return code
        print_json({**result_fields(result), "dayfly_exit_code": _failing(result, code, fails)})
        return _failing(result, code, fails)
    result, code = streamed(sandbox, command)
    if result is None:
        return code
    _explain(result, fails=fails)
    return _failing(result, code, fails)


def _command(file: Path | None, step: str, options: ExecOptions) -> tuple[Command, bool]:
    """What to run, and whether another code than 0 fails us."""
    from dayfly.sandbox import Command  # noqa: PLC0415 - not for --help
    from dayfly.sandbox.command import as_argv  # noqa: PLC0415 - same

    fails = True
    if file is None:
        command = Command(argv=as_argv(options["argv"]))
    else:
        from dayfly.sandbox.step_file import step_of  # noqa: PLC0415 - for files alone

        found = step_of(file, step)
        command, fails = found.command, found.fail_on_error
    given: dict[str, Any] = {
        "argv": options["argv"] or None,
        "exec_env": options["exec_env"],
        "provider": options["provider"],
        "argo_module": options["argo_module"],
        "image": options["image"],
        "profile": options["profile"],
        "network": options["network"],
        "working_dir": options["workdir"],
        "user": options["user"],
        "cpus": options["cpus"],
        "memory_mib": options["memory"],
        "timeout_seconds": options["timeout"],
        "max_output": None if options["max_output"] is None else options["max_output"] * _MIB,
    }
    return replace(
        command,
        best_effort=options["best_effort"],
        env={**command.env, **job_environment(options["env"], options["env_file"])},
        secrets=pairs(options["secret"], flag="--secret", field="secrets"),
        **{name: value for name, value in given.items() if value is not None},
    ), fails


def _sandbox(command: Command) -> Sandbox:
    from dayfly.api import connect  # noqa: PLC0415 - not for --help
    from dayfly.host import load_config  # noqa: PLC0415 - same
    from dayfly.sandbox import Sandbox, remote_runners  # noqa: PLC0415 - same

    config = load_config()
    names = [reference.removeprefix("env:") for reference in command.secrets.values()
             if reference.startswith("env:")]  # fmt: skip
    return Sandbox(
        lambda provider: connect(provider, config=config, pass_env=names),
        runners=remote_runners(config.runners),
    )


def result_fields(result: ExecResult) -> dict[str, object]:
    """A result's stable keys; what is not known is null."""
    return {
        "exit_code": result.exit_code,
        "stdout": result.stdout.decode(errors="replace"),
        "stderr": result.stderr.decode(errors="replace"),
        "stdout_dropped": result.stdout_dropped,
        "stderr_dropped": result.stderr_dropped,
        "output_error": result.output_error.message if result.output_error else None,
        "state": result.state.name,
        "reason": result.reason.name if result.reason else None,
        "signal": result.signal,
        "message": result.message or None,
        "exec_env": result.exec_env,
        "profile": result.profile or None,
        "notes": list(result.notes),
    }


def _failing(result: ExecResult, code: int, fails: bool) -> int:
    from dayfly.contract.jobs import Reason  # noqa: PLC0415 - imported by now

    return 0 if not fails and result.reason is Reason.EXITED_NONZERO else code


def _explain(result: ExecResult, *, fails: bool) -> None:
    """Say what its exit code alone would not tell."""
    from dayfly.contract.jobs import Reason  # noqa: PLC0415 - imported by now

    for note in result.notes:
        say(note)
    if result.output_error:
        say(f"the output is not whole: {result.output_error.message}")
    dropped = result.stdout_dropped + result.stderr_dropped
    if dropped:
        say(f"{dropped} bytes of output beyond --max-output were not passed on")
    if result.reason is Reason.EXITED_NONZERO:
        if not fails:
            say(f"it exited with {result.exit_code}, which fail_on_error: false lets pass")
    elif result.reason is not Reason.COMPLETED:
        reason = result.reason.name if result.reason else result.state.name
        say(f"{reason}{': ' + result.message if result.message else ''}")
