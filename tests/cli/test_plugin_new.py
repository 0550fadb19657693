"""``plugin new``: what it writes works as it is, by every rule of the kit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import DAYFLY

from dayfly.testing import all_rules


@pytest.fixture
def project(cli):
    """A provider just written, and the environment in which it is found."""
    made = cli("plugin", "new", "acme-cloud", "-o", "json")
    assert made.code == 0, made.stderr
    place = cli.directory / made.json["directory"]
    assert {
        str(path.relative_to(cli.directory)) for path in place.rglob("*") if path.is_file()
    } == {*made.json["files"]}
    return place


@pytest.fixture
def package(project):
    return project / "src" / "dayfly_acme_cloud"


@pytest.mark.timeout(240)
def test_it_keeps_every_promise_at_once(cli, project, package):
    done = subprocess.run(
        [DAYFLY, "conformance", str(package), "-o", "json"],
        cwd=cli.directory,
        env=cli.env | {"PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    rules = json.loads(done.stdout)["rules"]
    assert len(rules) == len(all_rules())
    assert {rule["rule"]: rule["detail"] for rule in rules if rule["outcome"] == "failed"} == {}
    assert done.returncode == 0
    assert sum(rule["outcome"] == "passed" for rule in rules) > 60


def test_its_manifest_is_true_and_its_own_tests_pass(cli, project, package):
    path = {"PYTHONPATH": str(project / "src")}
    checked = cli("plugin", "manifest", str(package), "--check", "-o", "json", env=path)
    assert (checked.code, checked.json["differences"]) == (0, [])
    assert cli("plugin", "verify", str(package), "-o", "json", env=path).json["findings"] == []
    tested = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-k",
            "states or exit_codes",
            "-p",
            "no:cacheprovider",
        ],
        cwd=project,
        env=cli.env | path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert "10 passed" in tested.stdout


def test_installed_as_a_package_it_runs_a_job(cli, project, package):
    """By its entry point, as pip would write it."""
    site = project / "src"
    info = site / "dayfly_acme_cloud-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: dayfly-acme-cloud\nVersion: 0.1.0\n"
    )
    (info / "entry_points.txt").write_text("[dayfly.plugins]\nacme-cloud = dayfly_acme_cloud\n")
    path = {"PYTHONPATH": str(site)}
    answer = cli("run", "--on", "acme-cloud", "--", "sh", "-c", "echo hello; exit 7", env=path)
    assert (answer.code, answer.text) == (7, "hello\n")
    assert cli("prune", "--on", "acme-cloud", "-o", "json", env=path).code == 0


def test_a_job_that_closed_its_output_and_ignores_a_stop_is_killed(cli, project, package):
    path = {"PYTHONPATH": str(project / "src")}
    script = "trap '' TERM; exec >&- 2>&-; while :; do sleep 1; done"
    (cli.directory / "plugins").mkdir()
    (cli.directory / "plugins" / "acme-cloud").symlink_to(package)
    options = ("--on", "acme-cloud", "--grace", "1s", "--timeout", "1s")
    answer = cli("run", *options, "--", "sh", "-c", script, env=path)
    assert answer.code == 124, answer.stderr


@pytest.mark.parametrize(
    "words", [("check", "--select", "E,F,I,B,UP,SIM,RUF,PTH"), ("format", "--check")]
)
def test_it_is_written_as_ruff_would_have_it(project, words):
    ruff = Path(sys.executable).with_name("ruff")
    options = ("--isolated", "--line-length", "100", "--target-version", "py311")
    done = subprocess.run(
        [ruff, *words, *options, "."], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_its_types_are_right(project):
    options = ("--strict", "--config-file", os.devnull, "--cache-dir", os.devnull)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--follow-imports", "silent", "src"],
        cwd=project,
        env={**os.environ, "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("Success: no issues found in 9 source files"), done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["docker"], "comes with dayfly"),
        (["Acme"], "allowed: 2 to 63 lower case"),
        (["../acme"], "allowed: 2 to 63 lower case"),
        (["acme", "--dir", "full"], "not empty"),
        (["acme", "--dir", "full/file"], "is there already"),
        (["acme", "--dir", "full/file/x"], "cannot be written"),
        ([], "Missing argument"),
    ],
)
def test_what_it_does_not_write(cli, arguments, said):
    (cli.directory / "full").mkdir()
    (cli.directory / "full" / "file").touch()
    answer = cli("plugin", "new", *arguments)
    assert answer.code == 125
    assert said in answer.stderr
    assert [path.name for path in cli.directory.rglob("*")] == ["full", "file"]
