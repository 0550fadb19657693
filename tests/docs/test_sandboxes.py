"""docs/sandboxes.md claims only what is so: its sessions are run, its tables are compared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conformance.stand_ins import free_port
from tests.docs.pages import Page, said

from dayfly.sandbox import PROFILES
from dayfly.sandbox.step import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Page(Path(__file__).parents[2].joinpath("docs", "sandboxes.md").read_text(encoding="utf-8"))


@pytest.mark.docker
def test_the_first_session(environment: Mapping[str, str], tmp_path: Path) -> None:
    PAGE.play(0, environment, tmp_path)


@pytest.mark.docker
def test_the_python_example(environment: Mapping[str, str], tmp_path: Path) -> None:
    done = said([sys.executable, "-W", "error", "-c", PAGE.block("python")], environment, tmp_path)
    assert done.stdout == "3 b'hi\\n' strict\nSTDOUT b'hi\\n'\n", done.stderr


@pytest.mark.docker
def test_a_secret(environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "dayfly.toml").write_text(PAGE.block("toml"))
    words = "dayfly exec --image dayfly-test:latest -e TOKEN=secret://ci/token"
    done = said(
        ["sh", "-c", f"{words} -- sh -c 'echo $TOKEN'"],
        {**environment, "CI_TOKEN": "sesame"},
        tmp_path,
    )
    assert done.stdout == "sesame\n", done.stderr


@pytest.mark.docker
def test_the_agent(environment: Mapping[str, str], tmp_path: Path) -> None:
    page = Page(PAGE.text.replace(":50051", f":{free_port()}"))
    script = page.block("sh").replace("dayfly agent", "exec dayfly agent")
    argv = ["sh", "-ec", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=tmp_path, env=environment, stderr=pipe, text=True) as agent:
        try:
            assert agent.stderr
            assert any("the agent listens on" in line for line in agent.stderr)
            (tmp_path / "dayfly.toml").write_text(page.block("toml", 1))
            token = (tmp_path / "token").read_text().strip()
            page.play(1, {**environment, "BOX_TOKEN": token}, tmp_path)
        finally:
            agent.terminate()
            agent.communicate(timeout=30)
    assert agent.returncode == 0


@pytest.mark.docker
def test_the_step(environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(PAGE.block("yaml"))
    done = said(["dayfly", "exec", "-f", "app.yaml", "--step", "check"], environment, tmp_path)
    assert (done.stdout, done.returncode) == ("hello\n", 4), done.stderr


def test_the_table_of_keys_has_them_all() -> None:
    table = PAGE.text.split("| key of `config` |")[1].split("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row[1])}
    assert named | {"profile"} == KEYS
    assert "`profile` is another name" in table


def test_the_table_of_profiles_is_what_they_are() -> None:
    table = PAGE.text.split("| | `strict`, the default |")[1].split("\n\n")[0]
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:5]]
            for line in table.splitlines()[2:] if (cells := line.split("|"))}  # fmt: skip
    for number, name in enumerate(("strict", "standard", "permissive")):
        profile = PROFILES[name]
        isolation, resources = profile.isolation, profile.resources
        told = {row: cells[number] for row, cells in rows.items()}
        assert (told["network"] == "none") is isolation.no_network
        assert told["root"].startswith("read-only") is isolation.read_only_root
        assert (told["new privileges (setuid)"] == "no") is isolation.no_new_privileges
        for capability in isolation.drop_capabilities:
            assert capability in told["capabilities"] or told["capabilities"] == "none"
        limits = {
            "processes": isolation.pids_limit and f"{isolation.pids_limit}",
            "CPU, memory": resources.cpus and f"{resources.cpus:g}, {resources.memory_mib} MiB",
            "time": profile.timeout_seconds and f"{profile.timeout_seconds // 60} minutes",
            "output": profile.output_mib and f"{profile.output_mib // 1024} GiB",
        }
        for row, limit in limits.items():
            assert told[row] == (limit or "no limit")
        for path, mib in isolation.tmpfs.items():
            assert f"`{path}` of {mib} MiB" in told["root"]
