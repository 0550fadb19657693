"""The walk of docs/add-a-provider.md: its provider runs jobs, through the whole of dayfly."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.docs.nomad import Nomad, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DOCS = Path(__file__).parents[2] / "docs"
DAYFLY = Path(sys.executable).with_name("dayfly")


class Machine:
    """A user's directory, with the plugin where the walk puts it."""

    def __init__(self, directory: Path, nomad: Nomad, address: str) -> None:
        self.directory, self.nomad = directory, nomad
        place = directory / "plugins" / "nomad"
        place.mkdir(parents=True)
        shutil.copy(DOCS / "nomad" / "plugin.json", place)
        shutil.copy(DOCS / "nomad" / "nomad_plugin.py", place)
        program = place / "nomad"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} {place}/nomad_plugin.py\n")
        program.chmod(0o755)
        toml = f'[providers.cluster]\nplugin = "nomad"\naddress = "{address}"\n'
        (directory / "dayfly.toml").write_text(toml)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        env = {
            **os.environ,
            "DAYFLY_PLUGINS_DIR": str(self.directory / "plugins"),
            "DAYFLY_STATE_DIR": str(self.directory / "state"),
        }
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            DAYFLY, *arguments, cwd=self.directory, env=env, stdout=pipe, stderr=pipe
        )

    async def __call__(self, *arguments: str) -> tuple[int | None, str, str]:
        process = await self.start(*arguments)
        async with asyncio.timeout(40):
            out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    async with serving() as (nomad, address):
        yield Machine(tmp_path, nomad, address)


RUN = ("run", "--on", "cluster", "--image", "busybox")


async def test_it_says_what_it_serves(machine: Machine) -> None:
    code, out, err = await machine("plugin", "verify", "nomad")
    assert code == 0, out + err


async def test_a_job_its_output_and_its_code(machine: Machine) -> None:
    script = 'echo "$GREETING"; echo two >&2; exit 7'
    code, out, err = await machine(*RUN, "--env", "GREETING=a b", "--", "sh", "-c", script)
    assert (code, out) == (7, "a b\n"), err
    assert err.startswith("two\n")


async def test_a_key_is_one_job(machine: Machine) -> None:
    for _ in range(2):
        code, out, err = await machine(*RUN, "--key", "k", "--name", "n", "--", "echo", "once")
        assert (code, out) == (0, "once\n"), err
    # From another machine, whose journal knows nothing.
    (machine.directory / "state" / "journal.sqlite3").unlink()
    code, out, err = await machine(*RUN, "--key", "k", "--name", "n", "--", "echo", "once")
    assert (code, out) == (0, "once\n"), err
    code, _, err = await machine(*RUN, "--key", "k", "--name", "n", "--", "echo", "twice")
    assert code == 125
    assert len(machine.nomad.jobs) == 1


async def test_a_cancel_is_a_stop(machine: Machine) -> None:
    process = await machine.start(*RUN, "--", "sh", "-c", "echo begun; exec sleep 60")
    assert process.stdout
    async with asyncio.timeout(40):
        assert await process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130
    [job] = machine.nomad.jobs.values()
    assert job.process
    assert job.process.returncode is not None


@pytest.mark.parametrize(
    ("option", "field"), [(("--secret", "P=env:HOME"), "secrets"), (("--user", "1"), "user")]
)
async def test_what_it_cannot_honour_is_refused(
    machine: Machine, option: tuple[str, str], field: str
) -> None:
    code, _, err = await machine(*RUN, *option, "--", "true")
    assert code == 125
    assert field in err
    assert machine.nomad.jobs == {}


async def test_the_walk_shows_the_file_that_is_tested() -> None:
    text = (DOCS / "add-a-provider.md").read_text(encoding="utf-8")
    source = (DOCS / "nomad" / "nomad_plugin.py").read_text(encoding="utf-8")
    shown: list[Any] = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert shown
    for part in shown:
        # A formatter puts what is less deep on fewer lines.
        assert re.sub(r"[\s,]", "", part) in re.sub(r"[\s,]", "", source)
