"""Steps as users of the Go project write them; what cannot be honoured is refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.sandbox import Command
from dayfly.sandbox.quantities import go_mebibytes, go_seconds
from dayfly.sandbox.step_file import step_of
from dayfly.sandbox.yaml_text import parse_yaml

if TYPE_CHECKING:
    from pathlib import Path

#: The example of the Go project's manual.
MANUAL = """\
steps:
  - name: migrate
    type: step.sandbox_exec
    config:
      exec_env: provider-ephemeral
      provider: digitalocean
      image: registry.example.com/app-migrate:${IMAGE_SHA}
      command: ["./migrate", "up"]
      env:
        DATABASE_URL: secret://app/database-url
"""
WHOLE = """\
modules:
  - name: argo
    type: argo.workflows
pipelines:
  nightly:
    trigger: {type: schedule}
    steps:
      - name: log
        type: step.log
      - name: check
        type: step.sandbox_exec
        on_error: stop
        config: &check
          exec_env: ephemeral
          argo_module: argo
          command: [sh, -c, "echo ${HOME}"]
          security_profile: standard
          memory_limit: 1g
          cpu_limit: 2
          timeout: 1m30s
          network: bridge
          fail_on_error: false
          env:
            PLAIN: 1.10
            NO: no
            MODE: 0755
            EMPTY:
      - name: again
        type: step.sandbox_exec
        config:
          <<: *check
          profile: permissive
          security_profile: ""
"""


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "app.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_manuals_example_runs_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_SHA", "abc")
    step = step_of(file(tmp_path, MANUAL))
    assert (step.name, step.fail_on_error) == ("migrate", True)
    assert step.command == Command(
        argv=("./migrate", "up"),
        exec_env="provider-ephemeral",
        provider="digitalocean",
        image="registry.example.com/app-migrate:abc",
        env={"DATABASE_URL": "secret://app/database-url"},
    )


def test_every_key_of_a_step_and_the_text_of_its_values(tmp_path):
    step = step_of(file(tmp_path, WHOLE), "check")
    assert step.fail_on_error is False
    assert step.command == Command(
        argv=("sh", "-c", "echo ${HOME}"),
        exec_env="ephemeral",
        argo_module="argo",
        profile="standard",
        memory_mib=1024,
        cpus=2.0,
        timeout_seconds=90,
        network="bridge",
        env={"PLAIN": "1.10", "NO": "no", "MODE": "0755", "EMPTY": ""},
    )
    again = step_of(file(tmp_path, WHOLE), "again")
    assert again.command.profile == "permissive"
    assert again.command.memory_mib == 1024


@pytest.mark.parametrize(
    "text",
    [
        "command: [x]\n",
        "config:\n  command: [x]\n",
        "name: a\ntype: step.sandbox_exec\nconfig:\n  command: [x]\n",
        "- type: step.sandbox_exec\n  config: {command: [x]}\n",
        "type: step.sandbox_exec\nif: ''\nskip_if:\non_error: skip\nconfig: {command: [x]}\n",
        "command: [x]\nmounts: []\n",
    ],
)
def test_a_step_alone_has_defaults(tmp_path, text):
    assert step_of(file(tmp_path, text)).command == Command(argv=("x",))


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ("command: x", "config.command"),
        ("command: []", "config.command"),
        ("image: x", "config.command"),
        ("command: [{a: b}]", "config.command"),
        ("command: [x]\nsecurityprofile: strict", "config.securityprofile"),
        ("command: [x]\nmounts: [{source: /, target: /host}]", "config.mounts"),
        ("command: [x]\ntimeout: soon", "config.timeout"),
        ("command: [x]\nmemory_limit: much", "config.memory_limit"),
        ("command: [x]\ncpu_limit: all", "config.cpu_limit"),
        ("command: [x]\nfail_on_error: perhaps", "config.fail_on_error"),
        ("command: [x]\nenv: [A=1]", "config.env"),
        ("command: [x]\nenv: {A: [1]}", "config.env"),
        ("command: [x]\nimage: 'a:${NOT_SET_HERE}'", "config.image"),
        ("command: [x]\nprofile: strict\nsecurity_profile: standard", "config.profile"),
        ("command: [x]\ncommand: [y]", "file"),
        ("command: [x", "file"),
        ("text", "file"),
        ("type: step.sandbox_exec\nif: x\nconfig: {command: [x]}", "if"),
        ("type: step.sandbox_exec\nskip_if: x\nconfig: {command: [x]}", "skip_if"),
        ("type: step.sandbox_exec\ntimeout: 5m\nconfig: {command: [x]}", "timeout"),
        ("type: step.sandbox_exec\nonerror: x\nconfig: {command: [x]}", "onerror"),
        ("type: step.sandbox_exec", "config"),
        ("? [a]\n: b", "file"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(tmp_path, config, field):
    with pytest.raises(InvalidField) as refused:
        step_of(file(tmp_path, config + "\n"))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "said", "advice"),
    [
        ("command: [x]\nmounts: [{source: /}]", "the step: mounts cannot", "into the image"),
        ("name: n\ntype: step.sandbox_exec\nif: x", "step 'n': if needs", "before"),
        ("type: step.sandbox_exec\ntimeout: 5m", "the step: timeout needs", "config"),
    ],
)
def test_a_refusal_names_the_step_and_says_what_to_do(tmp_path, text, said, advice):
    with pytest.raises(InvalidField, match=said) as refused:
        step_of(file(tmp_path, text + "\n"))
    assert advice in refused.value.advice


def test_which_step_is_meant_has_to_be_said(tmp_path):
    for name, said in (("", "2 of type"), ("nothing", "0 named 'nothing'")):
        with pytest.raises(NotFound, match=said) as refused:
            step_of(file(tmp_path, WHOLE), name)
        assert "check, again" in refused.value.message
    with pytest.raises(NotFound):
        step_of(file(tmp_path, "type: step.log\n"))


def test_a_file_that_is_not_there_not_text_or_too_large_is_told(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_bytes(b"#" * (1 << 20) + b"\n")
    for name in ("none", "binary", "large"):
        with pytest.raises(InvalidField, match=name):
            step_of(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "- " * 5000 + "x", "!!python/object/apply:os.system [id]", "{a: b"]
)
def test_no_document_brings_another_error_or_runs_anything(text):
    with suppress(InvalidField):
        parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("1500ms", 2), ("2h45m", 9900), ("1ns", 1)],
)
def test_a_duration_of_go(text, seconds):
    assert go_seconds(text, "timeout") == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "-5m", "5 m", "m", "1d", "5mm", "٣s"])
def test_what_is_no_duration_of_go(text):
    with pytest.raises(InvalidField):
        go_seconds(text, "timeout")


@pytest.mark.parametrize(
    ("text", "mib"),
    [("128m", 128), ("1g", 1024), ("1G", 1024), ("1048576", 1), ("1048577b", 2), ("512k", 1)],
)
def test_a_size_of_go(text, mib):
    assert go_mebibytes(text, "memory_limit") == mib


@pytest.mark.parametrize("text", ["", "m", "1.5g", "-1m", "1t", "1 g"])
def test_what_is_no_size_of_go(text):
    with pytest.raises(InvalidField):
        go_mebibytes(text, "memory_limit")
