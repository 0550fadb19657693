"""From a name to where a command runs; each way that it can be missing is its own error."""

from __future__ import annotations

import pytest
from tests.jobs.scripted import ClassicRunner, Scripted
from tests.sandbox.places import ABLE, places, prints

from dayfly.contract.errors import (
    DayflyError,
    FailedPrecondition,
    InvalidField,
    NotFound,
    NotServed,
)
from dayfly.contract.services import Services
from dayfly.sandbox import RemoteRunner, Sandbox, remote_runners

NOTHING = Services()
AGENT = RemoteRunner(name="remote", address="localhost:1", token="env:DAYFLY_NO_SUCH_TOKEN")


@pytest.mark.parametrize(
    ("options", "kind", "field", "said"),
    [
        ({"exec_env": "provider-ephemeral"}, InvalidField, "provider", "none is named"),
        (
            {"exec_env": "provider-ephemeral", "provider": "  "},
            InvalidField,
            "provider",
            "none is named",
        ),
        (
            {"exec_env": "provider-ephemeral", "provider": "prod"},
            NotFound,
            "provider",
            "'prod' is not configured",
        ),
        (
            {"exec_env": "provider-ephemeral", "provider": "empty"},
            NotServed,
            "provider",
            "does not advertise a job runner",
        ),
        ({"exec_env": "ephemeral"}, FailedPrecondition, "exec_env", "no provider for Argo"),
        (
            {"exec_env": "ephemeral", "argo_module": "argo-prod"},
            FailedPrecondition,
            "exec_env",
            "argo_module is 'argo-prod'",
        ),
        ({"exec_env": "barn"}, NotFound, "exec_env", "configured runners: remote"),
        ({"exec_env": "remote"}, FailedPrecondition, "runners.remote.token", "is not set"),
        ({}, NotFound, "provider", "exec_env 'local-docker': provider 'docker' is not configured"),
        ({"exec_env": "local-docker", "provider": "prod"}, InvalidField, "provider", "no use for"),
        ({"argo_module": "a"}, InvalidField, "argo_module", "no use for"),
        ({"profile": "tight"}, InvalidField, "profile", "strict, standard, permissive"),
        ({"exec_env": "remote", "cpus": 2.0}, InvalidField, "cpus", "no field for it"),
        (
            {"exec_env": "remote", "secrets": {"A": "env:A"}},
            InvalidField,
            "secrets.A",
            "no secret:// reference",
        ),
    ],
)
async def test_each_way_to_be_missing_is_told(options, kind, field, said):
    sandbox = Sandbox(places(empty=NOTHING), runners={"remote": AGENT})
    with pytest.raises(DayflyError, match=said) as refused:
        await sandbox.exec(["true"], **options)
    assert type(refused.value) is kind
    assert refused.value.field == field
    assert refused.value.advice or "strict" in said or field.startswith("secrets")


@pytest.mark.parametrize("name", ["local-docker", "ephemeral", "provider-ephemeral"])
def test_a_runner_cannot_take_a_name_that_means_something_else(name):
    with pytest.raises(InvalidField, match="means something else"):
        Sandbox(places(), runners={name: AGENT})


async def test_the_default_is_local_docker_and_the_provider_docker_runs_it():
    docker = Scripted(ABLE)
    prints(docker, b"hi\n")
    for options in ({}, {"exec_env": "local-docker"}, {"exec_env": ""}):
        result = await Sandbox(places(docker=docker.services())).exec(["echo", "hi"], **options)
        assert (result.exec_env, result.stdout, result.ok) == ("local-docker", b"hi\n", True)


async def test_a_plugin_of_the_go_project_runs_it_as_one_line():
    go = Scripted(ABLE)
    prints(go, b"hi\n", code=3)
    services = Services(runner=ClassicRunner(go), canceler=go)
    result = await Sandbox(places(go=services)).exec(
        ["sh", "-c", "echo 'hi'"],
        exec_env="provider-ephemeral",
        provider="go",
        profile="permissive",
        env={"TOKEN": "secret://app/token"},
    )
    assert (result.stdout, result.exit_code) == (b"hi\n", 3)
    (sent,) = go.sent
    assert sent.spec.run_command == """sh -c 'echo '"'"'hi'"'"''"""
    assert sent.spec.env == {}
    assert sent.spec.secrets == {"TOKEN": "secret://app/token"}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({}, "runners.remote.address"),
        ({"address": "no-port", "token": "env:A"}, "runners.remote.address"),
        ({"address": "h:1"}, "runners.remote.token"),
        ({"address": "h:1", "token": "s3cret-pasted"}, "runners.remote.token"),
        ({"address": "h:1", "token": "file:relative"}, "runners.remote.token"),
        ({"address": "h:1", "token": "env:A", "cert": "/c"}, "runners.remote.cert"),
        ({"address": "h:1", "token": "env:A", "tls": "off"}, "runners.remote"),
        ({"address": 1, "token": "env:A"}, "runners.remote.address"),
    ],
)
def test_a_wrong_runner_is_refused_under_its_key(table, field):
    with pytest.raises(InvalidField) as refused:
        remote_runners({"remote": table})
    assert refused.value.field == field
    assert "s3cret" not in str(refused.value)


def test_a_runner_is_read():
    table = {"address": "[::1]:443", "token": "file:/t", "ca": "/ca"}
    assert remote_runners({"remote": table})["remote"] == RemoteRunner(name="remote", **table)
