"""What a job asks for is carried out, or refused before anything is created."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import DayflyError, InvalidField
from dayfly.contract.jobs import (
    Isolation,
    JobAlert,
    JobState,
    JobTarget,
    LogDestination,
    Reason,
    Submission,
    TargetMode,
)
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import new_key

if TYPE_CHECKING:
    from dayfly.testing.trial import Trial

_ARGUMENTS = (
    "plain",
    "two words",
    "",
    "   ",
    "it's",
    'say "hi"',
    "line one\nline two\n",
    "$HOME `id` $(id) ${x}",
    "back\\slash \\n",
    "tab\there",
    "*? [a-z] ~ # ! & | ; < > ( ) { }",
    "--flag=-x",
    "日本語 é 😀",
    "%s %d %%",
    "\x01\x1b[31m\x7f",
)

#: By part of the isolation: what is asked for, and what succeeds in a job that has it. Processes
#: come last: they leave none for whatever is tried after them.
_KEPT_FROM: dict[str, tuple[Any, str]] = {
    "no_network": (True, "! grep : /proc/net/dev | grep -v ' lo:'"),
    "read_only_root": (True, "grep -q ' / [^ ]* ro,' /proc/mounts"),
    "no_new_privileges": (True, "grep -q 'NoNewPrivs:.1' /proc/self/status"),
    "drop_capabilities": (("ALL",), "grep -q 'CapEff:.0000000000000000' /proc/self/status"),
    "tmpfs": (
        {"/tmp": 4},  # noqa: S108 - a directory of the job's
        "cd /tmp && echo true > x && chmod 755 x && ! ./x && ! dd if=/dev/zero of=x bs=1M count=8",
    ),
    "pids_limit": (16, "! (for n in 1 2 3 4 5; do for m in 1 2 3 4 5; do sleep 9 & done; done)"),
}


class HonourOrRefuse(Promise):
    """Honour or refuse."""

    @rule(honours=("command",))
    async def test_argv_arrives_intact(self, trial: Trial) -> None:
        """Spaces, quotes, newlines, ``$`` and unicode arrive as they were given."""
        script = 'for word in "$@"; do printf \'%s\\000\' "$word"; done'
        _, output = await trial.finish(trial.job(script, *_ARGUMENTS))
        assert output.stdout.decode().split("\0")[:-1] == list(_ARGUMENTS)

    @rule(honours=("run_command",))
    async def test_a_line_of_shell_is_a_line_of_shell(self, trial: Trial) -> None:
        """``run_command`` runs through a shell, quotes and all."""
        line = "x='a  b'; echo \"$x\" | cat; (exit 6)"
        spec = replace(trial.job("true"), command=(), run_command=line)
        status, output = await trial.finish(spec)
        assert output.stdout == b"a  b\n"
        assert status.exit_code == 6

    @rule(honours=("env",))
    async def test_environment_arrives(self, trial: Trial) -> None:
        """Plain variables arrive as they were given, and the empty one is set."""
        env = {"PLAIN": "1", "ODD": "a b\n$c 'd' \"e\" é", "EMPTY": "", "_x9": "=="}
        script = 'printf \'%s\\000\' "$PLAIN" "$ODD" "${EMPTY-unset}" "$_x9"'
        _, output = await trial.finish(trial.job(script, env=env))
        assert output.stdout.decode().split("\0")[:-1] == list(env.values())

    @rule()
    async def test_the_host_s_environment_does_not_leak(self, trial: Trial) -> None:
        """A job does not see the plugin's own settings."""
        _, output = await trial.finish(trial.job("env"))
        names = {line.split(b"=")[0] for line in output.stdout.splitlines()}
        assert not names & {b"WORKFLOW_PLUGIN", b"PLUGIN_UNIX_SOCKET_DIR", b"PLUGIN_MIN_PORT"}

    @rule(honours=("working_dir",))
    async def test_working_directory(self, trial: Trial) -> None:
        """The command starts where it was told to."""
        _, output = await trial.finish(trial.job("pwd", working_dir="/tmp"))  # noqa: S108
        assert output.stdout == b"/tmp\n"

    @rule(honours=("user",))
    async def test_user(self, trial: Trial) -> None:
        """The command runs as the user that it was told to."""
        _, output = await trial.finish(trial.job("id -u; id -g", user="65534:65533"))
        assert output.stdout.split() == [b"65534", b"65533"]

    @rule(honours=("entrypoint",))
    async def test_entrypoint(self, trial: Trial) -> None:
        """An entry point replaces the image's, and the command becomes its arguments."""
        spec = replace(
            trial.job("true"),
            entrypoint=("/bin/sh", "-c", 'echo "got $1"', "sh"),
            command=("a  word",),
        )
        _, output = await trial.finish(spec)
        assert output.stdout == b"got a  word\n"

    @rule("submitter")
    async def test_isolation(self, trial: Trial) -> None:
        """A job is kept from all that it says, each part of it that is honoured at once."""
        honoured = (await trial.jobs.describe()).honours
        tried = {part: how for part, how in _KEPT_FROM.items() if f"isolation.{part}" in honoured}
        if not tried:
            pytest.skip("not honoured: isolation")
        script = "; ".join(
            f"{{ {how}; }} 2>/dev/null && echo {part}" for part, (_, how) in tried.items()
        )
        isolation = Isolation(**{part: value for part, (value, _) in tried.items()})
        _, output = await trial.finish(trial.job(script, isolation=isolation))
        assert output.stdout.decode().split() == list(tried)

    @rule("submitter")
    async def test_a_field_that_is_not_honoured_is_refused(self, trial: Trial) -> None:
        """Each field that is not honoured is INVALID_ARGUMENT by its name; nothing is made."""
        submitter, plain = trial.services.submitter, trial.job("true")
        assert submitter
        asking = {
            "cron": replace(plain, cron="* * * * *"),
            "drain_seconds": replace(plain, drain_seconds=5),
            "network": replace(plain, network="no-such-network"),
            "user": replace(plain, user="1000"),
            "platform": replace(plain, platform="linux/s390x"),
            "working_dir": replace(plain, working_dir="/"),
            "labels": replace(plain, labels={"a": "b"}),
            "image": replace(plain, image="busybox"),
            "entrypoint": replace(plain, entrypoint=("/bin/sh",)),
            "alerts": replace(plain, alerts=(JobAlert(rule="cpu"),)),
            "log_destinations": replace(
                plain, log_destinations=(LogDestination(name="n", endpoint="e"),)
            ),
            **{
                f"isolation.{part}": replace(plain, isolation=Isolation(**{part: value}))
                for part, (value, _) in _KEPT_FROM.items()
            },
            "target.mode": replace(
                plain, target=JobTarget(mode=TargetMode.ATTACHED_RUN, name="something")
            ),
        }
        honoured = (await submitter.describe()).honours
        refused = {field: spec for field, spec in asking.items() if field not in honoured}
        assert refused
        for field, spec in refused.items():
            key = new_key()
            for ask in (
                submitter.plan(Submission(spec=spec, key=key)),
                trial.launch(spec, key=key),
            ):
                with pytest.raises(InvalidField) as raised:
                    await ask
                assert raised.value.field.split(".")[0] == field.split(".")[0]
            with pytest.raises(InvalidField):
                await submitter.submit(Submission(spec=spec, key=key), lambda _: None)
            assert await trial.traces(key) == []

    @rule("submitter")
    async def test_a_bad_field_is_refused_by_the_plugin_itself(self, trial: Trial) -> None:
        """The plugin checks a job too, whatever its host let through."""
        submitter, plain = trial.services.submitter, trial.job("true")
        assert submitter
        bad = {
            "name": replace(plain, name="no spaces, please"),
            "timeout_seconds": replace(plain, timeout_seconds=-1),
            "env": replace(plain, env={"A=B": "c"}),
            "run_command": replace(plain, run_command="true"),
        }
        for field, spec in bad.items():
            key = new_key()
            with pytest.raises(InvalidField) as raised:
                await submitter.submit(Submission(spec=spec, key=key), lambda _: None)
            assert raised.value.field == field
            assert await trial.traces(key) == []
        with pytest.raises(InvalidField) as raised:
            await submitter.submit(Submission(spec=plain, key="no spaces"), lambda _: None)
        assert raised.value.field == "key"

    @rule("submitter", "observer", honours=("image",))
    async def test_a_missing_image_is_told(self, trial: Trial) -> None:
        """An image that cannot be had is IMAGE_UNAVAILABLE, and nothing is left of it."""
        key = new_key()
        spec = replace(trial.job("true"), image=trial.provider.missing_image)
        try:
            job = await trial.launch(spec, key=key)
        except DayflyError as error:
            assert error.reason is Reason.IMAGE_UNAVAILABLE  # noqa: PT017 - or a failed job
            assert trial.provider.missing_image in str(error)  # noqa: PT017
        else:
            status = await job.wait(timeout=trial.provider.seconds)
            assert (status.state, status.reason) == (JobState.FAILED, Reason.IMAGE_UNAVAILABLE)
            await job.delete()
        assert await trial.traces(key) == []
