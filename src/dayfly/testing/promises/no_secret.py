"""No secret value is in a request, a handle, a log, a journal or an error."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import DayflyError, InvalidField
from dayfly.contract.jobs import JobState, Reason, Submission
from dayfly.contract.tokens import to_token
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import new_key, opened_trial, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.testing.trial import Trial

_VARIABLE = "DAYFLY_CONFORMANCE_CANARY"


class NoSecretOnTheWire(Promise):
    """No secret on the wire."""

    @rule("submitter", honours=("secrets",))
    async def test_a_secret_is_nowhere_but_in_the_job(self, trial: Trial) -> None:
        """A secret's value reaches the job and shows nowhere else."""
        with _canary() as canary:
            await asyncio.to_thread(trial.provider.store_secret, canary)
            provider = replace(trial.provider, pass_env=(*trial.provider.pass_env, _VARIABLE))
            async with opened_trial(provider) as inner:
                seen = await _everything_said(inner, canary)
        for place, text in seen.items():
            assert canary not in text, f"the secret's value is in {place}"

    @rule("submitter", honours=("secrets",))
    async def test_a_missing_secret_stops_the_launch(self, trial: Trial) -> None:
        """A reference to nothing is SECRET_UNAVAILABLE: the job is refused, or never runs."""
        key = new_key()
        spec = trial.job("echo ran", secrets={"PASSWORD": trial.provider.missing_secret})
        try:
            job = await trial.launch(spec, key=key)
        except DayflyError as error:
            assert error.reason is Reason.SECRET_UNAVAILABLE  # noqa: PT017 - or a failed job
            assert "PASSWORD" in str(error) or trial.provider.missing_secret in str(error)  # noqa: PT017
            assert await trial.traces(key) == []
            return
        # Where the provider itself resolves it, it is missed after the launch.
        status = await job.wait(timeout=trial.provider.seconds)
        assert (status.state, status.reason) == (JobState.FAILED, Reason.SECRET_UNAVAILABLE)
        assert status.exit_code is None
        assert (await read(job)).batches == ()

    @rule("submitter", honours=("secrets",))
    async def test_a_reference_that_is_none_is_refused_unseen(self, trial: Trial) -> None:
        """A value pasted where a reference belongs is refused, and not repeated."""
        key, pasted = new_key(), f"hunter2-{secrets.token_hex(8)}"
        with pytest.raises(DayflyError) as raised:
            await trial.launch(trial.job("true", secrets={"PASSWORD": pasted}), key=key)
        assert pasted not in str(raised.value)
        assert pasted not in "\n".join(trial.log)
        assert await trial.traces(key) == []

    @rule()
    async def test_a_reference_in_plain_environment_is_refused(self, trial: Trial) -> None:
        """``secret://`` under plain env is refused, naming the field."""
        key = new_key()
        with pytest.raises(InvalidField) as raised:
            await trial.launch(trial.job("true", env={"PASSWORD": "secret://db"}), key=key)
        assert raised.value.field == "env.PASSWORD"
        assert await trial.traces(key) == []


@contextmanager
def _canary() -> Iterator[str]:
    canary = f"canary-{secrets.token_hex(16)}"
    os.environ[_VARIABLE] = canary
    try:
        yield canary
    finally:
        del os.environ[_VARIABLE]


async def _everything_said(trial: Trial, canary: str) -> dict[str, str]:
    """Run a job with the secret, and collect all that anybody says of it."""
    references = {"PASSWORD": trial.provider.secret_reference}
    script = f'case "$PASSWORD" in canary-*) echo "${{#PASSWORD}}";; esac; exit {len(canary)}'
    spec, key = trial.job(script, secrets=references), new_key()
    submitter, inventory = trial.services.submitter, trial.services.inventory
    assert submitter
    job = await trial.launch(spec, key=key)
    output = await read(job)
    assert output.stdout == b"%d\n" % len(canary)
    with pytest.raises(DayflyError) as refused:
        await trial.launch(trial.job("echo other", secrets=references), key=key)
    return {
        "the handle": to_token(job.handle),
        "the status": repr(await job.wait(timeout=trial.provider.seconds)),
        "the plan": repr(await submitter.plan(Submission(spec=spec, key=new_key()))),
        "the description": repr(await submitter.describe()),
        "the checks": repr(await submitter.check()),
        "an error": str(refused.value),
        "the list": repr(await inventory.list_jobs()) if inventory else "",
        "the plugin's log": "\n".join(trial.log),
        "the journal": "".join(
            path.read_bytes().decode(errors="replace") for path in trial.directory.glob("journal*")
        ),
    }
