"""Settings, addresses, contexts and credentials."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from dayfly.contract.errors import FailedPrecondition, InvalidField, Unauthenticated
from dayfly.providers.docker.config import Config, Pull, read_config
from dayfly.providers.docker.contexts import find_endpoint, parse_url
from dayfly.providers.docker.credentials import DOCKER_HUB, registry_auth, registry_of
from dayfly.providers.docker.images import split_reference
from dayfly.providers.docker.tls import tls_context


@pytest.fixture
def docker_config(tmp_path: Path) -> dict[str, str]:
    return {"DOCKER_CONFIG": str(tmp_path)}


def write_context(directory: str, name: str, docker: dict[str, Any]) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = Path(directory) / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    document = {"Name": name, "Endpoints": {"docker": docker}}
    (meta / "meta.json").write_text(json.dumps(document))
    return digest


def test_the_defaults() -> None:
    assert read_config({}) == Config(pull=Pull.MISSING)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"hots": "x"}, "hots"),
        ({"host": 1}, "host"),
        ({"pull": "sometimes"}, "pull"),
        ({"host": "unix:///a", "context": "b"}, "context"),
        ({"secrets": "x"}, "secrets"),
        ({"secrets": {"db": 1}}, "secrets.db"),
    ],
)
def test_a_bad_setting_is_named(document: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_config(document)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("url", "socket", "host", "port"),
    [
        ("unix:///run/d.sock", "/run/d.sock", "", 0),
        ("tcp://h", "", "h", 2375),
        ("tcp://h:1", "", "h", 1),
        ("https://h", "", "h", 2376),
        ("tcp://[::1]:5", "", "::1", 5),
    ],
)
def test_addresses(url: str, socket: str, host: str, port: int) -> None:
    endpoint = parse_url(url, "a test")
    assert (endpoint.socket, endpoint.host, endpoint.port) == (socket, host, port)


@pytest.mark.parametrize(
    "url", ["ssh://me@h", "", "unix://relative", "npipe:////./pipe/x", "tcp://", "tcp://h:99999"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(InvalidField) as caught:
        parse_url(url, "a test")
    assert caught.value.field == "host"
    assert "a test" in caught.value.message


def test_ssh_comes_with_a_way_out() -> None:
    with pytest.raises(InvalidField) as caught:
        parse_url("ssh://me@h", "DOCKER_HOST")
    assert "ssh -nNT -L" in caught.value.advice


def test_the_order_in_which_an_engine_is_looked_for(docker_config: dict[str, str]) -> None:
    directory = docker_config["DOCKER_CONFIG"]
    write_context(directory, "far", {"Host": "tcp://far:1"})
    write_context(directory, "near", {"Host": "tcp://near:2"})
    env = dict(docker_config)
    assert find_endpoint(Config(), env).socket == "/var/run/docker.sock"
    (Path(directory) / "config.json").write_text('{"currentContext": "far"}')
    assert find_endpoint(Config(), env).host == "far"
    env["DOCKER_CONTEXT"] = "near"
    assert find_endpoint(Config(), env).host == "near"
    env["DOCKER_HOST"] = "unix:///mine"
    assert find_endpoint(Config(), env).socket == "/mine"
    assert find_endpoint(Config(context="far"), env).host == "far"
    assert find_endpoint(Config(host="unix:///set"), env).socket == "/set"


def test_a_context_brings_its_own_certificates(docker_config: dict[str, str]) -> None:
    directory = docker_config["DOCKER_CONFIG"]
    docker = {"Host": "tcp://far:2376", "SkipTLSVerify": True}
    digest = write_context(directory, "far", docker)
    material = Path(directory) / "contexts" / "tls" / digest / "docker"
    material.mkdir(parents=True)
    endpoint = find_endpoint(Config(context="far"), docker_config)
    assert (endpoint.tls, endpoint.verify, endpoint.certificates) == (True, False, material)


def test_tls_from_the_environment(docker_config: dict[str, str], tmp_path: Path) -> None:
    env = docker_config | {"DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "1"}
    endpoint = find_endpoint(Config(), env)
    assert (endpoint.tls, endpoint.verify, endpoint.port) == (True, True, 2376)
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(FailedPrecondition, match="TLS files"):
        tls_context(endpoint)


def test_a_context_that_is_not_there(docker_config: dict[str, str]) -> None:
    with pytest.raises(FailedPrecondition, match="no docker context 'gone'"):
        find_endpoint(Config(context="gone"), docker_config)
    write_context(docker_config["DOCKER_CONFIG"], "odd", {})
    with pytest.raises(FailedPrecondition, match="no docker endpoint"):
        find_endpoint(Config(context="odd"), docker_config)
    (Path(docker_config["DOCKER_CONFIG"]) / "config.json").write_text("{")
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        find_endpoint(Config(), docker_config)


@pytest.mark.parametrize(
    ("image", "query"),
    [
        ("alpine", {"fromImage": "alpine", "tag": "latest"}),
        ("h:5000/a/b", {"fromImage": "h:5000/a/b", "tag": "latest"}),
        ("h:5000/a/b:1", {"fromImage": "h:5000/a/b", "tag": "1"}),
        ("a@sha256:00", {"fromImage": "a@sha256:00"}),
    ],
)
def test_an_image_without_a_tag_is_one_image(image: str, query: dict[str, str]) -> None:
    assert split_reference(image) == query


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("alpine", DOCKER_HUB),
        ("me/alpine", DOCKER_HUB),
        ("docker.io/me/a", DOCKER_HUB),
        ("ghcr.io/a/b", "ghcr.io"),
        ("localhost/a", "localhost"),
        ("h:5000/a", "h:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry


async def test_plain_credentials() -> None:
    auth = base64.b64encode(b"me:pa:ss").decode()
    config = {"auths": {DOCKER_HUB: {"auth": auth}, "https://ghcr.io": {"identitytoken": "t"}}}
    hub = json.loads(base64.urlsafe_b64decode(await registry_auth("alpine", config)))
    assert hub == {"username": "me", "password": "pa:ss", "serveraddress": DOCKER_HUB}
    token = json.loads(base64.urlsafe_b64decode(await registry_auth("ghcr.io/a", config)))
    assert token["identitytoken"] == "t"
    assert await registry_auth("quay.io/a", config) == ""


def install_helper(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = directory / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(directory), prepend=":")


async def test_a_credential_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'read host; echo "{\\"Username\\": \\"me\\", \\"Secret\\": \\"$1-$host\\"}"'
    install_helper(tmp_path, monkeypatch, script)
    config = {"credHelpers": {"ghcr.io": "test"}}
    known = json.loads(base64.urlsafe_b64decode(await registry_auth("ghcr.io/a", config)))
    assert known == {"username": "me", "password": "get-ghcr.io", "serveraddress": "ghcr.io"}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo canary; exit 3", "exited with 3"),
        ("echo canary", "no JSON"),
        ('echo \'{"x": "canary"}\'', "no Username"),
    ],
)
async def test_a_helper_that_fails_shows_nothing_of_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    install_helper(tmp_path, monkeypatch, script)
    with pytest.raises(Unauthenticated, match=said) as caught:
        await registry_auth("alpine", {"credsStore": "test"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["not-installed", "../../bin/sh"])
async def test_a_helper_that_cannot_be_run(name: str) -> None:
    with pytest.raises(Unauthenticated):
        await registry_auth("alpine", {"credsStore": name})
