"""Installing for real, and what happens when it goes wrong: nothing, or what was there before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from tests.host.packages.shelf import PROGRAM, good_members, member, plugin_json, tar_gz

from dayfly.contract.errors import (
    AlreadyExists,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotFound,
)
from dayfly.contract.jobs import JobHandle
from dayfly.host import connect, find_plugin, list_plugins, spawn
from dayfly.host.packages.guard import held
from dayfly.host.packages.indexes import Index
from dayfly.host.packages.install import install
from dayfly.host.packages.lock import read_lock, write_lock
from dayfly.host.packages.places import recover, take_out

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

GOOD = tar_gz(good_members())


def quiet(_: str) -> None:
    """Nobody listens."""


def get(shelf):
    return install(Index(str(shelf.directory)), "raw", quiet)


def names(plugins_dir: Path) -> list[str]:
    if not plugins_dir.exists():
        return []
    return sorted(p.name for p in plugins_dir.iterdir() if p.name != ".plugins.guard")


async def test_from_the_web_to_a_job(web, shelf, plugins_dir):
    shelf.put(GOOD)
    done = install(Index(web), "raw", quiet)
    assert (done.changed, done.former, done.directory) == (True, "", plugins_dir / "raw")
    assert done.plugin.source == f"{web}/raw.tar.gz"
    assert names(plugins_dir) == ["plugins.lock", "raw"]
    async with connect(spawn(find_plugin("raw"))) as plugin:
        handle = await plugin.services.submitter.find("known")
    assert handle == JobHandle(id="known")


def test_the_lock_has_every_file(shelf, plugins_dir):
    entry = shelf.put(GOOD)
    get(shelf)
    document = json.loads((plugins_dir / "plugins.lock").read_text())
    assert document["version"] == 1
    raw = document["plugins"]["raw"]
    assert (raw["version"], raw["sha256"]) == ("1.2.3", entry["downloads"][0]["sha256"])
    assert raw["source"] == str(shelf.directory / "raw.tar.gz")
    assert sorted(raw["files"]) == ["data/note.txt", "plugin.json", "raw"]


def test_again_is_nothing_and_another_version_takes_its_place(shelf, plugins_dir):
    shelf.put(GOOD)
    get(shelf)
    assert get(shelf).changed is False
    shelf.put(tar_gz(good_members(version="1.3.0")), version="1.3.0")
    done = get(shelf)
    assert (done.changed, done.former) == (True, "1.2.3")
    assert find_plugin("raw").manifest.version == "1.3.0"
    assert names(plugins_dir) == ["plugins.lock", "raw"]


def wrong_digest(shelf):
    shelf.put(GOOD)
    (shelf.directory / "raw.tar.gz").write_bytes(tar_gz(good_members(description="x")))


def no_digest(shelf):
    document = shelf.put(GOOD)
    [download] = document["downloads"]
    shelf.alter(downloads=[{k: v for k, v in download.items() if k != "sha256"}])


def truncated(shelf):
    shelf.put(GOOD)
    (shelf.directory / "raw.tar.gz").write_bytes(GOOD[:-20])


def gone(shelf):
    shelf.put(GOOD)
    (shelf.directory / "raw.tar.gz").unlink()


def without(*left_out: str):
    members = [m for m in good_members() if m[0].name not in left_out]
    return lambda shelf: shelf.put(tar_gz(members))


def released(*programs: str) -> bytes:
    """An archive as release tools make it by default: no folder, and LICENSE in it."""
    return tar_gz(
        [
            member("LICENSE", b"free"),
            member("plugin.json", plugin_json()),
            *(member(program, PROGRAM.encode(), mode=0o755) for program in programs),
        ]
    )


BROKEN = {
    "wrong digest": (wrong_digest, FailedPrecondition, "is not what the index promises"),
    "no digest": (no_digest, FailedPrecondition, "no sha256"),
    "truncated on the way": (truncated, FailedPrecondition, "is not what the index promises"),
    "truncated by its maker": (
        lambda shelf: shelf.put(GOOD[:-20]),
        InvalidField,
        "cannot be unpacked",
    ),
    "gone": (gone, NotFound, "raw.tar.gz is not there"),
    "no archive": (lambda shelf: shelf.put(b"<html>"), InvalidField, "cannot be unpacked"),
    "hostile": (
        lambda shelf: shelf.put(tar_gz([*good_members(), member("raw/../../x", b"")])),
        InvalidField,
        "leads out",
    ),
    "another plugin": (
        lambda shelf: shelf.put(tar_gz(good_members(name="other"))),
        InvalidField,
        "plugin.json has the name 'other'",
    ),
    "in two folders": (
        lambda shelf: shelf.put(tar_gz([*good_members(), member("other/note.txt")])),
        InvalidField,
        "no plugin.json, neither at its top",
    ),
    "another version": (
        lambda shelf: shelf.put(GOOD, version="1.2.4"),
        InvalidField,
        "version '1.2.3'; expected: '1.2.4'",
    ),
    "no plugin.json": (without("raw/plugin.json"), InvalidField, "no plugin.json, neither"),
    "no program": (without("raw/raw"), InvalidField, "executable are: none"),
    "not executable": (
        lambda shelf: shelf.put(
            tar_gz([member("raw/plugin.json", plugin_json()), member("raw/raw", b"#!/bin/sh\n")])
        ),
        InvalidField,
        "no executable 'raw' beside its plugin.json; executable are: none",
    ),
    "two programs": (
        lambda shelf: shelf.put(released("raw-a", "raw-b")),
        InvalidField,
        "no executable 'raw' beside its plugin.json; executable are: raw-a, raw-b",
    ),
    "a module of this Python": (
        lambda shelf: shelf.put(tar_gz(good_members(dayfly={"module": "http.server"}))),
        InvalidField,
        "names a module",
    ),
    "another kind": (lambda shelf: shelf.put(GOOD, type="ui"), FailedPrecondition, "'ui'"),
    "the entry": (lambda shelf: shelf.put(GOOD, tier="x"), InvalidField, "tier is 'x'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_changes_nothing(shelf, plugins_dir, kind):
    make, error, said = BROKEN[kind]
    make(shelf)
    with pytest.raises(error) as caught:
        get(shelf)
    assert said in caught.value.message
    assert names(plugins_dir) == []
    shelf.put(tar_gz(good_members(version="1.0.0")), version="1.0.0")
    get(shelf)
    make(shelf)
    with pytest.raises(error):
        get(shelf)
    assert find_plugin("raw").manifest.version == "1.0.0"
    assert names(plugins_dir) == ["plugins.lock", "raw"]


@pytest.mark.parametrize("program", ["raw", "raw-linux-amd64"])
async def test_an_archive_of_a_release_tool(shelf, plugins_dir, program):
    shelf.put(released(program))
    get(shelf)
    assert sorted(path.name for path in (plugins_dir / "raw").iterdir()) == [
        "LICENSE",
        "plugin.json",
        "raw",
    ]
    async with connect(spawn(find_plugin("raw"))) as plugin:
        assert plugin.name == "raw"


def test_a_plugin_put_there_by_hand_is_not_replaced_nor_removed(shelf, plugins_dir):
    shelf.put(GOOD)
    (plugins_dir / "raw").mkdir(parents=True)
    with pytest.raises(AlreadyExists, match="put there by hand"):
        get(shelf)
    with pytest.raises(FailedPrecondition, match="put there by hand"):
        take_out(plugins_dir, "raw")
    assert names(plugins_dir) == ["raw"]


def test_a_built_in_name_is_not_installed(shelf, plugins_dir):
    document = shelf.put(GOOD)
    place = shelf.directory / "plugins" / "local"
    place.mkdir()
    (place / "manifest.json").write_text(json.dumps(document | {"name": "local"}))
    with pytest.raises(AlreadyExists, match="comes with dayfly"):
        install(Index(str(shelf.directory)), "local", quiet)


def test_a_lock_that_cannot_be_written_brings_the_former_version_back(shelf, plugins_dir):
    shelf.put(GOOD)
    get(shelf)
    before = (plugins_dir / "plugins.lock").read_bytes()
    shelf.put(tar_gz(good_members(version="2.0.0")), version="2.0.0")
    (plugins_dir / ".plugins.lock.new").mkdir()
    with pytest.raises(FailedPrecondition, match="was there before is there still"):
        get(shelf)
    (plugins_dir / ".plugins.lock.new").rmdir()
    assert (plugins_dir / "plugins.lock").read_bytes() == before
    assert find_plugin("raw").manifest.version == "1.2.3"
    assert names(plugins_dir) == ["plugins.lock", "raw"]


def test_a_lock_that_cannot_be_written_leaves_no_first_version(shelf, plugins_dir):
    shelf.put(GOOD)
    plugins_dir.mkdir()
    (plugins_dir / ".plugins.lock.new").mkdir()
    with pytest.raises(FailedPrecondition):
        get(shelf)
    assert names(plugins_dir) == [".plugins.lock.new"]


@pytest.mark.parametrize("died", ["before the new one came", "before the lock", "after the lock"])
@pytest.mark.parametrize("by", ["who changes it", "who starts it"])
def test_a_death_in_the_middle_is_mended_by_the_next(shelf, plugins_dir, died, by):
    shelf.put(GOOD)
    get(shelf)
    place, old = plugins_dir / "raw", plugins_dir / ".old-raw"
    if died == "after the lock":
        old.mkdir()
    else:
        place.rename(old)
    if died == "before the lock":
        place.mkdir()
        (place / "plugin.json").write_bytes(plugin_json(version="9.9.9"))
    if by == "who changes it":
        with held(plugins_dir):
            recover(plugins_dir)
        assert names(plugins_dir) == ["plugins.lock", "raw"]
    assert find_plugin("raw").manifest.version == "1.2.3"


def test_an_interrupt_once_the_lock_tells_of_it_leaves_the_new_one(shelf, plugins_dir):
    shelf.put(GOOD)
    get(shelf)
    shelf.put(tar_gz(good_members(version="2.0.0")), version="2.0.0")

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        """As a Ctrl-C at this very moment."""
        if event == "return" and frame.f_code is write_lock.__code__:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            get(shelf)
    finally:
        sys.setprofile(None)
    assert find_plugin("raw").manifest.version == "2.0.0"


def test_what_python_keeps_of_a_module_beside_the_program_is_no_change(shelf, plugins_dir):
    shelf.put(tar_gz([*good_members(), member("raw/parts.py", b"x = 1\n")]))
    get(shelf)
    imports = [sys.executable, "-c", "import parts"]
    subprocess.run(imports, cwd=plugins_dir / "raw", env={"PATH": os.defpath}, check=True)
    assert (plugins_dir / "raw" / "__pycache__").is_dir()
    assert find_plugin("raw").name == "raw"


def test_what_another_process_unpacks_may_vanish_at_any_moment(shelf, plugins_dir):
    shelf.put(GOOD)
    plugins_dir.mkdir()
    (plugins_dir / ".new-other-1").symlink_to("vanished")
    assert get(shelf).changed is True


def test_removing(shelf, plugins_dir):
    shelf.put(GOOD)
    get(shelf)
    assert take_out(plugins_dir, "raw").version == "1.2.3"
    assert names(plugins_dir) == ["plugins.lock"]
    assert read_lock(plugins_dir) == {}
    with pytest.raises(NotFound, match="no plugin 'raw' was installed"):
        take_out(plugins_dir, "raw")
    assert get(shelf).changed is True


def test_removing_where_nothing_ever_was(plugins_dir):
    with pytest.raises(NotFound):
        take_out(plugins_dir, "raw")


def change(directory: Path) -> None:
    (directory / "raw").write_text("#!/bin/sh\necho evil\n")


def lose(directory: Path) -> None:
    (directory / "data" / "note.txt").unlink()


def add(directory: Path) -> None:
    (directory / "data" / "more.so").touch()


def link(directory: Path) -> None:
    (directory / "data" / "note.txt").unlink()
    (directory / "data" / "note.txt").symlink_to("/etc/hostname")


def link_a_folder(directory: Path) -> None:
    (directory / "lib").symlink_to("/usr/lib")


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (change, "raw/raw was changed"),
        (lose, "raw/data/note.txt is missing"),
        (add, "raw/data/more.so was added"),
        (link, "raw/data/note.txt was changed"),
        (link_a_folder, "raw/lib was added"),
    ],
)
def test_an_installed_plugin_that_was_altered_is_not_started(shelf, plugins_dir, alter, said):
    shelf.put(GOOD)
    get(shelf)
    find_plugin("raw")
    alter(plugins_dir / "raw")
    for named in ("raw", str(plugins_dir / "raw")):
        with pytest.raises(FailedPrecondition, match=said) as caught:
            find_plugin(named)
        assert "dayfly plugin install raw" in caught.value.advice
    assert [said in error.message for error in list_plugins().broken] == [True]
    assert get(shelf).changed is True
    find_plugin("raw")


def test_the_others_load_as_before(shelf, plugins_dir):
    shelf.put(GOOD)
    get(shelf)
    mine = plugins_dir / "mine"
    mine.mkdir()
    (mine / "plugin.json").write_bytes(plugin_json(name="mine"))
    (mine / "mine").write_text("#!/bin/sh\n")
    (mine / "mine").chmod(0o755)
    assert find_plugin("mine").name == "mine"
    assert find_plugin("local").name == "local"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2, "plugins": {}}', '{"version": 1, "plugins": {"raw": 1}}'],
)
def test_a_damaged_lock_trusts_nothing_beside_it(shelf, plugins_dir, text):
    shelf.put(GOOD)
    get(shelf)
    (plugins_dir / "plugins.lock").write_text(text)
    with pytest.raises(FailedPrecondition, match=r"plugins\.lock is damaged"):
        find_plugin("raw")
    with pytest.raises(FailedPrecondition, match=r"plugins\.lock is damaged"):
        get(shelf)
    assert find_plugin("local").name == "local"


def test_a_built_in_plugin_is_found_without_looking_at_any_lock(tmp_path):
    code = (
        "import sys; from dayfly.host import find_plugin; find_plugin('local');"
        "late = {m for m in sys.modules if m.startswith('dayfly.host.packages')};"
        "sys.exit(' '.join(late | ({'hashlib'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("moved", [("raw",), ("raw", "raw")], ids=["the-plugin", "its-program"])
def test_finding_while_another_process_replaces_it_waits(shelf, plugins_dir, moved):
    shelf.put(GOOD)
    get(shelf)
    there = plugins_dir.joinpath(*moved)
    away = plugins_dir / ".old-raw"
    found: list[object] = []
    with held(plugins_dir):
        there.rename(away)
        seeker = threading.Thread(target=lambda: found.append(find_plugin("raw")))
        seeker.start()
        seeker.join(0.3)
        assert found == []
        away.rename(there)
    seeker.join(10)
    assert len(found) == 1


def test_a_replacement_that_ends_between_two_looks_hides_nothing(
    shelf, plugins_dir, tmp_path, monkeypatch
):
    """The plugin is put back while packages are looked through, after its own place was."""
    shelf.put(GOOD)
    get(shelf)
    there, away = plugins_dir / "raw", plugins_dir / ".old-raw"
    info = tmp_path / "site" / "slow-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dayfly.plugins]\nslow = slow_to_find\n")

    class PutBack:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "slow_to_find" and away.exists():
                away.rename(there)

    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "meta_path", [PutBack(), *sys.meta_path])
    there.rename(away)
    assert find_plugin("raw").directory == there
    assert not away.exists()


def test_who_waits_too_long_says_for_whom(plugins_dir):
    plugins_dir.mkdir()
    with (
        held(plugins_dir),
        pytest.raises(DeadlinePassed, match="another process changes"),
        held(plugins_dir, seconds=0.1),
    ):
        pytest.fail("two held it at once")


def test_many_at_once_leave_one(shelf, plugins_dir):
    shelf.put(GOOD)
    code = (
        "import sys; from dayfly.host.packages.indexes import Index;"
        "from dayfly.host.packages.install import install;"
        "install(Index(sys.argv[1]), 'raw', print)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(shelf.directory)],
            env={**os.environ, "DAYFLY_PLUGINS_DIR": str(plugins_dir)},
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [process.wait(30) for process in running] == [0, 0, 0, 0]
    assert names(plugins_dir) == ["plugins.lock", "raw"]
    find_plugin("raw")


def test_a_directory_that_cannot_be_made(shelf, plugins_dir):
    shelf.put(GOOD)
    plugins_dir.write_text("a file")
    with pytest.raises(FailedPrecondition, match="cannot be written") as caught:
        get(shelf)
    assert "DAYFLY_PLUGINS_DIR" in caught.value.advice
