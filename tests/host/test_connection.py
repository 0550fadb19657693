"""A plugin on a real socket: what it serves, how it fails, how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time

import pytest

from dayfly.contract import names
from dayfly.contract.errors import (
    DayflyError,
    DeadlinePassed,
    InvalidField,
    NotServed,
    ProviderFailed,
)
from dayfly.contract.jobs import JobHandle, JobSpec, JobState, LogQuery, Stream, Submission
from dayfly.host import Deadlines, connect, spawn, verify_manifest


async def test_what_is_announced_is_there_and_the_rest_is_none(raw):
    async with connect(spawn(raw())) as plugin:
        services = plugin.services
        assert (plugin.name, plugin.version) == ("raw", "1.2.3")
        assert None not in (services.runner, services.submitter, services.observer)
        assert services.events is services.inventory is services.regions is None
        description = await services.submitter.describe()
        assert description.honours == {"command"}


async def test_an_announced_service_that_is_not_served_becomes_none(raw):
    async with connect(spawn(raw())) as plugin:
        with pytest.raises(NotServed, match="IaCProviderJobCanceler"):
            await plugin.services.canceler.cancel_job(JobHandle(id="1"))
        assert plugin.services.canceler is None
        assert plugin.services.runner is not None


async def test_one_missing_call_does_not_hide_a_service_that_works(raw):
    async with connect(spawn(raw())) as plugin:
        submitter = plugin.services.submitter
        await submitter.describe()
        with pytest.raises(NotServed):
            await submitter.plan(Submission(spec=JobSpec(command=("true",)), key="k"))
        assert plugin.services.submitter is not None


async def test_without_get_manifest_the_file_speaks(raw):
    async with connect(spawn(raw("no-manifest", version="4.5.6"))) as plugin:
        assert (plugin.name, plugin.version) == ("raw", "4.5.6")


async def test_a_refused_configuration_names_its_key(raw, gone):
    process = spawn(raw())
    with pytest.raises(InvalidField, match="colour is not a key") as caught:
        async with connect(process, config={"colour": "red"}):
            pass
    assert caught.value.field == "colour"
    assert caught.value.advice == "Leave it out."
    gone(process)


async def test_a_configuration_that_json_cannot_carry(raw):
    with pytest.raises(InvalidField, match="JSON"):
        async with connect(spawn(raw()), config={"x": float("nan")}):
            pass


async def test_the_classic_runner(raw):
    async with connect(spawn(raw("classic"))) as plugin:
        runner = plugin.services.runner
        handle = await runner.run_job(JobSpec(name="n", image="i", run_command="true"))
        assert (handle.id, handle.name) == ("1", "n")
        status = await runner.job_status(handle)
        assert (status.state, status.exit_code) == (JobState.FAILED, 3)
        batches = [batch async for batch in runner.job_logs(handle)]
        assert [(b.stream, b.data) for b in batches] == [
            (Stream.STDOUT, b"out\n"),
            (Stream.STDERR, b"err\n"),
        ]


async def test_submit_reports_progress_then_gives_the_handle(raw):
    seen = []
    async with connect(spawn(raw())) as plugin:
        submission = Submission(spec=JobSpec(command=("true",)), key="k1")
        submitted = await plugin.services.submitter.submit(submission, seen.append)
        assert submitted.handle.id == "k1"
    assert [(p.phase, p.done, p.total) for p in seen] == [("pulling image", 1, 2)]


async def test_a_launch_without_a_handle_is_the_plugins_failure(raw):
    async with connect(spawn(raw("no-handle"))) as plugin:
        submission = Submission(spec=JobSpec(command=("true",)), key="k1")
        with pytest.raises(ProviderFailed, match="without a handle"):
            await plugin.services.submitter.submit(submission, lambda _: None)


async def test_an_answer_that_makes_no_sense_is_the_plugins_failure(raw):
    async with connect(spawn(raw())) as plugin:
        with pytest.raises(ProviderFailed, match=r"plugin 'raw'.*no id"):
            await plugin.services.submitter.find("bad")
        assert await plugin.services.submitter.find("unknown") is None


async def test_a_status_is_never_taken_for_another_jobs(raw):
    async with connect(spawn(raw())) as plugin:
        observer = plugin.services.observer
        known = await observer.statuses([JobHandle(id="a"), JobHandle(id="b")])
        assert [s.handle.id for s in known] == ["a", "b"]
        with pytest.raises(ProviderFailed, match="swapped"):
            await observer.statuses([JobHandle(id="swapped"), JobHandle(id="b")])


async def test_death_ends_a_pending_call_and_a_stream_at_once(raw, gone):
    process = spawn(raw())
    async with connect(process) as plugin:
        services = plugin.services
        hanging = asyncio.create_task(services.submitter.find("hang"))
        following = asyncio.create_task(
            collect(services.observer.logs(JobHandle(id="1"), LogQuery(follow=True)))
        )
        await asyncio.sleep(0.2)
        began = time.monotonic()
        os.kill(process.popen.pid, signal.SIGKILL)
        for task in (hanging, following):
            with pytest.raises(ProviderFailed, match="was killed by SIGKILL"):
                await task
        assert time.monotonic() - began < 10, "either goes on for an hour"
        with pytest.raises(ProviderFailed, match="could not be asked"):
            await services.submitter.describe()
    gone(process)


async def test_death_is_told_with_the_last_words(raw):
    async with connect(spawn(raw())) as plugin:
        with pytest.raises(ProviderFailed, match=r"SIGABRT(.|\n)*dying now"):
            await plugin.services.submitter.find("die")


async def test_death_while_loading(raw, gone):
    process = spawn(raw("dies-while-loading"))
    with pytest.raises(ProviderFailed, match=r"exited with code 7(.|\n)*my last words"):
        async with connect(process):
            pass
    gone(process)


async def test_a_plugin_that_does_not_answer_while_loading(raw, gone):
    process = spawn(raw("slow-load"))
    with pytest.raises(DeadlinePassed, match="for its manifest"):
        async with connect(process, deadlines=Deadlines(load=0.5)):
            pass
    gone(process)


async def test_a_silent_launch_ends_at_its_bound(raw):
    deadlines = Deadlines(silence=0.3)
    async with connect(spawn(raw("silent")), deadlines=deadlines) as plugin:
        submission = Submission(spec=JobSpec(command=("true",)), key="silent")
        with pytest.raises(DeadlinePassed, match=r"said nothing for 0\.3 s"):
            await plugin.services.submitter.submit(submission, lambda _: None)


async def test_cancelling_a_call_is_not_taken_for_a_death(raw):
    async with connect(spawn(raw())) as plugin:
        task = asyncio.create_task(plugin.services.submitter.find("hang"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await plugin.services.submitter.find("known") == JobHandle(id="known")


async def test_a_deaf_plugin_is_killed_after_two_seconds(raw, gone):
    process = spawn(raw("deaf"))
    async with connect(process):
        began = time.monotonic()
    assert 1.9 < time.monotonic() - began < 20
    assert process.popen.returncode == -signal.SIGKILL
    gone(process)


async def test_a_willing_plugin_stops_by_itself(raw, gone):
    process = spawn(raw())
    async with connect(process):
        pass
    assert process.popen.returncode == 0
    gone(process)


async def test_an_error_in_the_body_comes_out_as_it_is(raw, gone):
    process = spawn(raw())
    with pytest.raises(KeyError, match="mine"):
        async with connect(process):
            raise KeyError("mine")
    gone(process)


async def test_cancelling_the_body_leaves_no_process(raw, gone):
    process = spawn(raw())
    inside = asyncio.Event()

    async def body():
        async with connect(process):
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(body())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gone(process)


async def test_what_it_prints_becomes_log_records(raw, caplog):
    caplog.set_level(logging.DEBUG, logger="dayfly.plugin")
    async with connect(spawn(raw())) as plugin:
        await plugin.services.submitter.describe()
        expected = {
            ("dayfly.plugin.raw", logging.WARNING, "up port=1"),
            ("dayfly.plugin.raw", logging.INFO, "stdout: printed by the plugin"),
        }
        async with asyncio.timeout(20):
            while not expected <= {(r.name, r.levelno, r.getMessage()) for r in caplog.records}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_flood_on_stdio_does_not_stop_the_calls(raw):
    async with connect(spawn(raw("floods-stdio"))) as plugin:
        for _ in range(5):
            await plugin.services.submitter.describe()


async def test_the_environment_is_an_allowlist(raw, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("PLUGIN_CLIENT_CERT", "canary")
    monkeypatch.setenv("PLUGIN_MULTIPLEX_GRPC", "true")
    monkeypatch.setenv("PLUGIN_UNIX_SOCKET_GROUP", "staff")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("CLOUD_TOKEN", "1")
    monkeypatch.setenv("DATABASE_URL", "1")
    monkeypatch.setenv("LC_TIME", "C")
    plugin = raw("environment", dayfly={"environment": ["CLOUD_*"]})
    async with connect(spawn(plugin, pass_env=("DATABASE_URL",))) as loaded:
        seen = set((await loaded.services.submitter.describe()).side_effects)
    assert {"CLOUD_TOKEN", "DATABASE_URL", "LC_TIME", "PATH", "WORKFLOW_PLUGIN"} <= seen
    assert not seen & {
        "AWS_SECRET_ACCESS_KEY",
        "PLUGIN_CLIENT_CERT",
        "PLUGIN_MULTIPLEX_GRPC",
        "PLUGIN_UNIX_SOCKET_GROUP",
        "PYTHONPATH",
    }


async def test_a_manifest_is_held_against_the_plugin(raw):
    declared = [names.RUNNER, names.SUBMIT, names.OBSERVE, names.EVENTS]
    plugin = raw(version="1.2.4", iacServices=declared)
    async with connect(spawn(plugin)) as loaded:
        found = await verify_manifest(plugin.manifest, loaded)
    assert {(f.field, f.severe) for f in found} == {
        ("version", True),
        ("dayfly.services", True),
        ("iacServices", False),
    }
    assert [f.message for f in found if f.service] == [
        f"{names.EVENTS} is declared and not announced",
        f"{names.CANCELER} is announced and not declared",
    ]


async def test_every_error_of_a_call_is_ours(raw):
    async with connect(spawn(raw("unserved"))) as plugin:
        with pytest.raises(DayflyError):
            await plugin.services.runner.run_job(JobSpec(image="i"))
        assert plugin.services.runner is None


async def collect(batches):
    return [batch async for batch in batches]


async def test_a_flood_on_stderr_does_not_stop_the_calls(raw, gone):
    process = spawn(raw("floods-stderr"))
    async with connect(process) as plugin, asyncio.timeout(10):
        for _ in range(5):
            await plugin.services.submitter.describe()
    gone(process)
