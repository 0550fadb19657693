"""State, exit code and reason come from the provider, never from a guess."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import DayflyError, InvalidField, NotFound
from dayfly.contract.jobs import (
    ExitCodeSource,
    JobHandle,
    JobState,
    LogQuery,
    Reason,
    Resources,
)
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import first_output, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.testing.trial import Trial


class OneTruth(Promise):
    """One truth: how it ended is what the provider says."""

    @rule()
    async def test_exit_code_0_is_success(self, trial: Trial) -> None:
        """A job that exits with 0 SUCCEEDED, COMPLETED."""
        status, _ = await trial.finish(trial.job("exit 0"))
        assert status.state is JobState.SUCCEEDED
        assert (status.exit_code, status.reason) == (0, Reason.COMPLETED)
        assert status.exit_code_source is not ExitCodeSource.UNKNOWN

    @rule()
    async def test_exit_codes_are_exact(self, trial: Trial) -> None:
        """Exit codes 1, 42, 125, 137 and 255 are reported as they are."""
        codes = (1, 42, 125, 137, 255)
        jobs = [await trial.launch(trial.job(f"exit {code}")) for code in codes]
        statuses = [await job.wait(timeout=trial.provider.seconds) for job in jobs]
        assert [status.exit_code for status in statuses] == list(codes)
        assert {status.state for status in statuses} == {JobState.FAILED}
        assert {status.reason for status in statuses} == {Reason.EXITED_NONZERO}

    @rule()
    async def test_a_signal_is_told(self, trial: Trial) -> None:
        """A process ended by a signal is 128 + its number, inside a job and as the job."""
        inside, _ = await trial.finish(trial.job("sh -c 'kill -TERM $$'; exit $?"))
        assert inside.exit_code == 143
        # The first process of a container cannot be killed from inside: it goes on.
        itself, _ = await trial.finish(trial.job("kill -KILL $$; exit 99"))
        assert itself.state is JobState.FAILED
        if itself.exit_code != 99:
            assert itself.exit_code == 137
            assert itself.signal in {9, None}

    @rule("observer")
    async def test_statuses_of_many_in_one_call(self, trial: Trial) -> None:
        """One call answers for many handles, in their order, with unknown ones among them."""
        assert trial.services.observer
        jobs = [await trial.launch(trial.job(f"exit {code}")) for code in range(4)]
        for job in jobs:
            await job.wait(timeout=trial.provider.seconds)
        nobody = JobHandle(id="no-such-job", provider=trial.session.plugin.name)
        handles = [jobs[2].handle, nobody, jobs[0].handle, jobs[3].handle, jobs[1].handle]
        statuses = await trial.services.observer.statuses(handles)
        assert [status.exit_code for status in statuses] == [2, None, 0, 3, 1]
        assert [status.handle.id for status in statuses] == [handle.id for handle in handles]
        assert await trial.services.observer.statuses([]) in ((), [])

    @rule("observer")
    async def test_an_unknown_handle_is_unknown(self, trial: Trial) -> None:
        """A handle of no job has state UNKNOWN; its logs and cancel are NOT_FOUND."""
        services = trial.services
        assert services.observer
        job = await trial.launch(trial.job("true"))
        await job.wait(timeout=trial.provider.seconds)
        nothing: Mapping[str, str] = {}
        strangers = [
            JobHandle(id=name, name=name, provider=trial.session.plugin.name, metadata=metadata)
            for name in ("no-such-job", "../../etc/passwd", "a" * 1000, "é%2F?x=1#\n")
            for metadata in (nothing, job.handle.metadata)
        ]
        for status in await services.observer.statuses(strangers):
            assert (status.state, status.exit_code) == (JobState.UNKNOWN, None)
        for stranger in strangers:
            with pytest.raises((NotFound, InvalidField)):
                _ = [b async for b in services.observer.logs(stranger, LogQuery())]
            if services.canceler:
                with pytest.raises((NotFound, InvalidField)):
                    await services.canceler.cancel_job(stranger)

    @rule()
    async def test_a_running_job_is_running(self, trial: Trial) -> None:
        """While it runs a job is RUNNING, with no exit code and no end."""
        job = await trial.launch(trial.provider.endless("echo ready"))
        await first_output(job)
        status = await job.status()
        assert status.state is JobState.RUNNING
        assert (status.exit_code, status.ended, status.final) == (None, None, False)

    @rule("observer")
    async def test_times_are_in_order(self, trial: Trial) -> None:
        """Times that are given are aware, and created <= started <= ended."""
        status, _ = await trial.finish(trial.job("sleep 1"))
        times = [t for t in (status.created, status.started, status.ended) if t is not None]
        assert all(time.tzinfo is not None for time in times)
        assert times == sorted(times)
        if status.started and status.ended:
            ran = (status.ended - status.started).total_seconds()
            slack = trial.provider.clock_seconds
            assert 0.9 - slack <= ran < trial.provider.seconds

    @rule(honours=("resources.memory_mib",))
    async def test_out_of_memory_is_told(self, trial: Trial) -> None:
        """A job beyond its memory FAILED with OUT_OF_MEMORY."""
        eater = trial.job(
            's=xxxxxxxxxxxxxxxx; while :; do s="$s$s"; done', resources=Resources(memory_mib=32)
        )
        status, _ = await trial.finish(eater)
        assert (status.state, status.reason) == (JobState.FAILED, Reason.OUT_OF_MEMORY)

    @rule(honours=("resources.cpu_time_seconds",))
    async def test_cpu_time_is_bounded(self, trial: Trial) -> None:
        """A job beyond its CPU time FAILED with TIMED_OUT."""
        spec = trial.job("while :; do :; done", resources=Resources(cpu_time_seconds=1))
        status, _ = await trial.finish(spec)
        assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)

    @rule()
    async def test_a_command_that_is_not_there_is_told(self, trial: Trial) -> None:
        """A program that does not exist is an error or a failed job, never a success."""
        spec = trial.job("")
        missing = type(spec)(name=spec.name, image=spec.image, command=("/no/such/program",))
        try:
            status, _ = await trial.finish(missing)
        except DayflyError as error:
            assert "/no/such/program" in str(error) or error.field  # noqa: PT017 - either way
        else:
            assert status.state is JobState.FAILED
            assert status.exit_code != 0

    @rule("events")
    async def test_an_end_is_an_event(self, trial: Trial) -> None:
        """Where events are served, a job's end is one, within seconds."""
        assert trial.services.events
        events = trial.services.events.events(())
        async with asyncio.timeout(trial.provider.seconds):
            waiting = asyncio.ensure_future(anext(aiter(events)))
            try:
                job = await trial.launch(trial.job("sleep 1"))
                seen = await waiting
                while seen != job.handle.id:
                    seen = await anext(aiter(events))
            finally:
                waiting.cancel()
        await read(job)
