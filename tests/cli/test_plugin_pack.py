"""``plugin pack``: one file that runs elsewhere, the same each time it is made."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import DAYFLY, Cli
from tests.cli.plugins import put_raw_plugin

#: As on a machine that has a Python and no dayfly.
BARE_PATH = f"{Path(os.path.realpath(sys.executable)).parent}:/usr/bin:/bin"

needs_packer = pytest.mark.skipif(
    find_spec("pex") is None, reason="the extra 'pack' is not installed"
)


@dataclass(frozen=True)
class Workshop:
    """A machine on which a provider was written, and packed once for all tests here."""

    cli: Cli
    answer: Any

    @property
    def archive(self) -> Path:
        return self.cli.directory / self.answer["archive"]


def pack(cli: Cli, into: str) -> Any:
    package = cli.directory / "project" / "src" / "dayfly_acme"
    path = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Empty the first time: what PEX keeps there must not change what it makes.
    sources = {"PYTHONPATH": os.pathsep.join(path), "PEX_ROOT": str(cli.directory / "pex")}
    done = subprocess.run(
        [DAYFLY, "plugin", "pack", str(package), "--dir", into, "-o", "json"],
        cwd=cli.directory,
        env={**cli.env, **sources},
        capture_output=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    cli = Cli(tmp_path_factory.mktemp("workshop"))
    assert cli("plugin", "new", "acme", "--dir", "project").code == 0
    return Workshop(cli, pack(cli, "index"))


@needs_packer
@pytest.mark.timeout(300)
def test_the_archive_of_a_plugin_made_with_the_sdk(workshop):
    assert any(item.startswith("grpcio==") for item in workshop.answer["requirements"])
    archive, digest = workshop.archive, workshop.answer["sha256"]
    assert archive.name.startswith("acme-0.1.0-")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == digest
    assert Path(f"{archive}.sha256").read_text() == f"{digest}  {archive.name}\n"
    with tarfile.open(archive) as tar:
        members = {m.name: m for m in tar}
        manifest = json.load(tar.extractfile("acme/plugin.json"))
    assert sorted(members) == ["acme", "acme/acme", "acme/plugin.json"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members.values()} == {
        (0, 0, 0, "", "")
    }
    assert members["acme/acme"].mode == 0o755
    assert archive.read_bytes()[3:8] == bytes(5), "gzip's header has a name or a time"
    assert "module" not in manifest.get("dayfly", {})


@needs_packer
@pytest.mark.timeout(300)
def test_it_is_the_same_bit_by_bit_when_it_is_made_again(workshop):
    assert pack(workshop.cli, "again")["sha256"] == workshop.answer["sha256"]


@needs_packer
@pytest.mark.timeout(300)
def test_from_the_archive_to_a_job_elsewhere_with_path_and_tmpdir_alone(workshop):
    cli = workshop.cli
    assert cli("plugin", "index", "index").code == 0
    (cli.directory / "t").mkdir()
    bare = {"PATH": BARE_PATH, "TMPDIR": str(cli.directory / "t")}
    ours = {key: value for key, value in cli.env.items() if key.startswith("DAYFLY_")}
    ours["DAYFLY_PLUGIN_INDEX"] = str(cli.directory / "index")

    def elsewhere(*argv: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [DAYFLY, *argv], cwd="/", env=bare | ours, capture_output=True, timeout=60, check=False
        )

    installed = elsewhere("plugin", "install", "acme")
    assert installed.returncode == 0, installed.stderr
    program = cli.directory / "plugins" / "acme" / "acme"
    cookie = {"WORKFLOW_PLUGIN": "workflow-external-plugin-v1", "PLUGIN_PROTOCOL_VERSIONS": "1"}
    with subprocess.Popen(
        [program],
        env=bare | cookie,
        cwd=program.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        try:
            line = process.stdout.readline().decode()
        finally:
            process.kill()
        assert line.startswith("1|1|unix|"), process.communicate()[1]
    ran = elsewhere("run", "--on", "acme", "--", "sh", "-c", "echo from a packed plugin; exit 7")
    assert (ran.returncode, ran.stdout) == (7, b"from a packed plugin\n"), ran.stderr
    assert json.loads(elsewhere("plugin", "verify", "acme", "-o", "json").stdout)["findings"] == []


def test_a_program_is_taken_as_it_is(cli):
    place = put_raw_plugin(cli.directory)
    (place / ".hidden").touch()
    for directory in ("one", "two"):
        assert cli("plugin", "pack", str(place), "--dir", directory).code == 0
        os.utime(place / "raw", (1, 1))
    [one], [two] = (list((cli.directory / d).glob("*.tar.gz")) for d in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as tar:
        assert tar.getnames() == ["raw", "raw/plugin.json", "raw/raw"]


def test_without_the_packer_it_says_what_to_install(cli):
    (cli.directory / "site").mkdir()
    (cli.directory / "site" / "sitecustomize.py").write_text(
        "import sys\n"
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda n, *r: None if n in {'pex', 'packaging'} else found(n, *r)\n"
    )
    answer = cli("plugin", "pack", "local", env={"PYTHONPATH": str(cli.directory / "site")})
    assert answer.code == 125
    assert "pip install 'dayfly[pack]'" in answer.stderr


def test_a_place_that_cannot_be_written(cli):
    place = put_raw_plugin(cli.directory)
    (cli.directory / "file").touch()
    answer = cli("plugin", "pack", str(place), "--dir", "file/x")
    assert answer.code == 125
    assert "cannot be written" in answer.stderr
