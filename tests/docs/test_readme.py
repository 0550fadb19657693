"""The README claims only what is so: its sessions are run, its table is compared."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.pages import Page, said

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGE = Page(TEXT)


@pytest.mark.docker
@pytest.mark.parametrize("session", [0, 1])
def test_the_session_prints_what_it_says(
    session: int, environment: Mapping[str, str], tmp_path: Path
) -> None:
    PAGE.play(session, environment, tmp_path)


def test_the_python_example_runs(environment: Mapping[str, str], tmp_path: Path) -> None:
    done = said([sys.executable, "-W", "error", "-c", PAGE.block("python")], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(
        ["STDOUT one", "STDERR two", "SUCCEEDED 0", "b'three\\n'"]
    )


def test_the_configuration_is_one(environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "dayfly.toml").write_text(PAGE.block("toml"), encoding="utf-8")
    done = said(["dayfly", "providers", "--output", "json"], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "build" in done.stdout


def test_the_configuration_of_aws_is_one(environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "dayfly.toml").write_text(PAGE.block("toml", 1), encoding="utf-8")
    command = "dayfly plan --on prod --image x --secret PASSWORD=secret://db#password"
    done = said(["sh", "-c", f"{command} --output json -- ./migrate"], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "secret:db-AbCdEf:password::" in done.stdout


def test_the_configuration_of_digitalocean_is_one(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "dayfly.toml").write_text(PAGE.block("toml", 2), encoding="utf-8")
    image = "busybox@sha256:" + "0" * 64
    done = said(
        ["sh", "-c", f"dayfly plan --on do --image {image} --output json -- ./migrate"],
        environment,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "PRE_DEPLOY" in done.stdout


@pytest.mark.parametrize(
    ("provider", "column"),
    [("local", 2), ("docker", 3), ("aws", 4), ("batch", 5), ("digitalocean", 6)],
)
def test_the_table_of_fields_is_what_the_provider_says(
    provider: str, column: int, environment: Mapping[str, str], tmp_path: Path
) -> None:
    batch = '[providers.batch]\nplugin = "aws"\nrunner = "batch"\n'
    (tmp_path / "dayfly.toml").write_text(batch, encoding="utf-8")
    done = said(["dayfly", "describe", "--on", provider, "--output", "json"], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in TEXT.splitlines()
        if line.endswith(("| yes |", "| refused |"))
    ]
    claimed = {row[0] for row in rows if row[column] == "yes"}
    assert claimed == set(json.loads(done.stdout)["honours"])


def test_its_two_commands_are_targets() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"\n    make {command}\n" in TEXT
        assert f"\n{command}:" in makefile
