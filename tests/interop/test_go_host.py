"""Our plugins in a host written in Go, with HashiCorp's go-plugin."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract import names
from dayfly.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # The first of them may have to build the programs.

IMAGE = "dayfly-test:latest"
HOST_SECONDS = 60


@dataclass
class GoHost:
    """Loads one plugin, plays a scenario, gives what was seen."""

    program: Path
    directory: Path

    def __call__(self, plugin: str, **scenario: Any) -> dict[str, Any]:
        done = subprocess.run(
            [self.program, self._wrapper(plugin)],
            input=json.dumps({"configs": [{}, {}], **scenario}),
            env={**os.environ, "DAYFLY_STATE_DIR": str(self.directory / "state")},
            capture_output=True,
            text=True,
            timeout=HOST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    def _wrapper(self, plugin: str) -> Path:
        """What the Go project's host starts: an executable with the plugin's name."""
        directory = self.directory / plugin
        directory.mkdir(exist_ok=True)
        program = directory / plugin
        module = f"dayfly.providers.{plugin}"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m {module} "$@"\n')
        program.chmod(0o755)
        return program


@pytest.fixture
def host(programs, tmp_path):
    return GoHost(programs.host, tmp_path)


def output(job, source):
    return base64.b64decode(job["output"].get(source, ""))


def test_a_plugin_is_loaded_as_the_go_host_does_it(host):
    seen = host("local")
    assert seen["manifest"] == {
        "name": "local",
        "version": __version__,
        "author": "The dayfly authors",
        "description": "Runs a command as a supervised process of this machine.",
    }
    assert set(seen["codes"].values()) == {"OK"}
    assert {names.REQUIRED, names.RUNNER, names.CANCELER} <= set(seen["services"])
    assert names.PLUGIN not in seen["services"]


def test_capabilities_before_initialize_and_initialize_twice(host):
    seen = host("local")
    assert seen["before_initialize"] == seen["after_initialize"]
    assert seen["before_initialize"]["plan_version"] == "v2"
    assert seen["before_initialize"]["name"] == "local"
    assert seen["initialized"] == ["OK", "OK"]


def test_a_wrong_configuration_is_refused_and_the_next_one_taken(host):
    seen = host(
        "local",
        configs=[{"colour": "red"}, {}],
        jobs=[{"run_command": "echo on"}],
    )
    refused, taken = seen["initialized"]
    assert refused.startswith("InvalidArgument: ")
    assert "colour" in refused
    assert taken == "OK"
    assert output(seen["jobs"][0], "stdout") == b"on\n"


def test_a_job_runs_and_its_streams_are_apart(host):
    (job,) = host(
        "local", jobs=[{"run_command": "echo out $A; echo err >&2; exit 5", "env_vars": {"A": "b"}}]
    )["jobs"]
    assert job["run"] == "OK"
    assert job["id"]
    assert job["states"][-1] == "JOB_STATE_FAILED"
    assert job["exit_code"] == 5
    assert (output(job, "stdout"), output(job, "stderr")) == (b"out b\n", b"err\n")


def test_the_log_ends_with_one_empty_eof(host):
    (job,) = host("local", jobs=[{"run_command": "seq 1 300000"}])["jobs"]
    assert job["logs"] == "OK"
    assert output(job, "stdout") == b"".join(b"%d\n" % n for n in range(1, 300_001))
    assert job["eof"]
    assert not job["eof_data"]
    assert job["chunks"] < 200  # 2 MB in chunks of 16 KiB or more.


def test_cancel(host):
    (job,) = host("local", jobs=[{"run_command": "sleep 30", "cancel": True}])["jobs"]
    assert job["cancel"] == "OK"
    assert job["states"][-1] == "JOB_STATE_CANCELLED"
    assert job["eof"]


def test_errors_have_codes(host):
    seen = host(
        "local",
        jobs=[
            {"run_command": "true", "image": "an-image-that-local-cannot-run"},
            {"run_command": "true", "env_vars": {"TOKEN": "secret://token"}},
            {"run_command": ""},
        ],
        unknown="no-such-job",
    )
    assert [job["run"].split(":")[0] for job in seen["jobs"]] == ["InvalidArgument"] * 3
    assert "image" in seen["jobs"][0]["run"]
    assert "TOKEN" in seen["jobs"][1]["run"]
    assert seen["unknown_status"].startswith("NotFound: ")
    assert seen["unknown_logs"].startswith("NotFound: ")


def test_a_secret_is_resolved_in_the_plugin(host, monkeypatch):
    monkeypatch.setenv("CANARY", "v4lue")
    seen = host(
        "local",
        configs=[{"secrets": {"db": "env:CANARY"}}],
        jobs=[{"run_command": "echo $DB | wc -c", "env_vars_secret": {"DB": "secret://db"}}],
    )
    assert output(seen["jobs"][0], "stdout").strip() == b"6"
    assert "v4lue" not in json.dumps(seen)


def test_the_plugin_stops_by_itself_when_asked(host):
    seen = host("local")
    assert seen["exit_code"] == 0
    assert seen["kill_seconds"] < 2


def test_a_jobs_timeout_holds(host):
    (job,) = host("local", jobs=[{"run_command": "sleep 30", "timeout_seconds": 1}])["jobs"]
    assert job["states"][-1] == "JOB_STATE_FAILED"
    assert job["exit_code"] != 0
    assert "timeout" in job["message"]


@pytest.fixture
def own_containers():
    """The classic contract removes nothing, so a test removes what its jobs were."""
    before = containers()
    yield
    if left := containers() - before:
        subprocess.run(["docker", "rm", "-f", "-v", *left], check=False, capture_output=True)


def containers():
    listing = ["docker", "ps", "-aq", "--no-trunc", "--filter", "label=dayfly.name=from-go"]
    done = subprocess.run(listing, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.docker
@pytest.mark.usefixtures("own_containers")
def test_docker_in_the_go_host(host):
    seen = host(
        "docker",
        jobs=[
            {"image": IMAGE, "run_command": "echo out; echo err >&2; exit 7"},
            {
                "image": IMAGE,
                "run_command": "trap 'exit 143' TERM; sleep 30 & wait",
                "cancel": True,
            },
        ],
        unknown="no-such-job",
    )
    exited, cancelled = seen["jobs"]
    assert (exited["states"][-1], exited["exit_code"]) == ("JOB_STATE_FAILED", 7)
    assert (output(exited, "stdout"), output(exited, "stderr")) == (b"out\n", b"err\n")
    assert cancelled["cancel"] == "OK"
    assert cancelled["states"][-1] == "JOB_STATE_CANCELLED"
    assert seen["unknown_status"].startswith("NotFound: ")
    assert seen["exit_code"] == 0


def test_docker_is_loaded_without_an_engine(host, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    seen = host("docker", jobs=[{"image": "i", "run_command": "true"}])
    assert seen["initialized"] == ["OK", "OK"]
    assert seen["jobs"][0]["run"].startswith("Unavailable: ")
    assert "nobody.sock" in seen["jobs"][0]["run"]
