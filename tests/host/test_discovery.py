"""Where plugins are found, and what is said when they are not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dayfly
from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.host import find_plugin, list_plugins

BUILT_IN = Path(dayfly.__file__).parent / "providers"
MANIFEST = {"name": "mine", "version": "1.0.0", "author": "a", "description": "d"}


def install(directory: Path, manifest: dict[str, object], *, program: bool = True) -> Path:
    directory.mkdir(parents=True)
    (directory / "plugin.json").write_text(json.dumps(manifest))
    if program:
        path = directory / str(manifest["name"])
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    return directory


@pytest.mark.parametrize("name", ["local", "docker", "aws", "digitalocean"])
def test_built_in_plugins_are_modules_run_by_this_python(name):
    found = find_plugin(name)
    assert found.directory == BUILT_IN / name
    assert found.argv == (sys.executable, "-P", "-m", f"dayfly.providers.{name}")
    assert found.manifest.version == dayfly.__version__


def test_a_built_in_lookup_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from dayfly.host import find_plugin, load_config, spawn;"
        "find_plugin(load_config().provider().plugin);"
        "heavy = {'asyncio', 'grpc', 'msgspec', 'importlib.metadata', 'platformdirs', 'tomllib'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_executable_in_the_plugins_directory(plugins_dir):
    directory = install(plugins_dir / "mine", MANIFEST)
    assert find_plugin("mine").argv == (str(directory / "mine"),)


def test_a_built_in_plugin_comes_before_one_of_the_same_name(plugins_dir):
    install(plugins_dir / "local", MANIFEST | {"name": "local"})
    assert find_plugin("local").directory == BUILT_IN / "local"


def test_a_plugin_by_its_path(tmp_path):
    directory = install(tmp_path / "dist", MANIFEST)
    assert find_plugin(str(directory)).name == "mine"


def test_a_package_with_an_entry_point_is_found_and_not_imported(
    plugins_dir, tmp_path, monkeypatch
):
    site = tmp_path / "site"
    inner = install(
        site / "acme" / "cloud", MANIFEST | {"dayfly": {"module": "acme.cloud"}}, program=False
    )
    (site / "acme" / "__init__.py").write_text("raise SystemExit('imported')")
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dayfly.plugins]\nmine = acme.cloud\n")
    monkeypatch.syspath_prepend(str(site))
    found = find_plugin("mine")
    assert found.directory == inner
    assert found.argv[-2:] == ("-m", "acme.cloud")
    assert "mine" in {plugin.name for plugin in list_plugins().plugins}


def test_none_of_that_name_says_which_there_are(plugins_dir):
    install(plugins_dir / "mine", MANIFEST)
    with pytest.raises(NotFound, match="docker, local, mine") as caught:
        find_plugin("clowd")
    assert str(plugins_dir / "clowd") in caught.value.advice


@pytest.mark.parametrize("name", ["", "A", "..", "a\nb", "a b", "-x", "x" * 5000, "a/\0"])
def test_a_name_that_is_none(name):
    with pytest.raises(InvalidField) as caught:
        find_plugin(name)
    assert caught.value.field == "plugin"


def test_a_manifest_under_another_name(plugins_dir):
    install(plugins_dir / "other", MANIFEST)
    with pytest.raises(InvalidField, match="name is 'mine'; allowed here: 'other'"):
        find_plugin("other")


def test_without_an_executable(plugins_dir):
    install(plugins_dir / "mine", MANIFEST, program=False)
    with pytest.raises(FailedPrecondition, match="no executable"):
        find_plugin("mine")


def test_without_the_right_to_execute(plugins_dir):
    directory = install(plugins_dir / "mine", MANIFEST)
    (directory / "mine").chmod(0o644)
    with pytest.raises(FailedPrecondition, match="not executable") as caught:
        find_plugin("mine")
    assert caught.value.advice.startswith("chmod +x")


def test_a_broken_plugin_does_not_hide_the_others(plugins_dir):
    install(plugins_dir / "mine", MANIFEST)
    (plugins_dir / "bad").mkdir()
    (plugins_dir / "bad" / "plugin.json").write_text("{")
    found = list_plugins()
    assert [plugin.name for plugin in found.plugins] == [
        "aws",
        "digitalocean",
        "docker",
        "local",
        "mine",
    ]
    assert [str(plugins_dir / "bad") in str(error) for error in found.broken] == [True]
