"""Indexes made of archives: what is in them, and what keeps an archive out."""

from __future__ import annotations

import json

import pytest
from tests.host.packages.shelf import MACHINE, SYSTEM, good_members, member, plugin_json, tar_gz

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.host import find_plugin
from dayfly.host.packages.entries import parse_entry
from dayfly.host.packages.index_check import faults_of
from dayfly.host.packages.indexes import Index
from dayfly.host.packages.indexing import build_index
from dayfly.host.packages.install import install


@pytest.fixture
def place(tmp_path):
    directory = tmp_path / "index"
    (directory / "archives").mkdir(parents=True)
    return directory


def put(place, version="1.2.3", system=SYSTEM, machine=MACHINE, **change):
    path = place / "archives" / f"raw-{version}-{system}-{machine}.tar.gz"
    path.write_bytes(tar_gz(good_members(version=version, **change)))
    return path


def test_from_archives_to_an_installation(place, plugins_dir):
    put(place, tier="premium", capabilities={"iacProvider": {"name": "raw"}, "cliCommands": 1})
    put(place, system="darwin", machine="arm64")
    built = build_index(place)
    assert build_index(place) == built
    assert faults_of(place) == []
    entry = parse_entry(built.entries["raw"])
    assert {(d.os, d.arch) for d in entry.downloads} == {(SYSTEM, MACHINE), ("darwin", "arm64")}
    assert entry.document["capabilities"]["serviceMethods"] == [
        "dayfly.v1.Submit",
        "dayfly.v1.Observe",
    ]
    assert install(Index(str(place)), "raw", lambda _: None).changed
    assert find_plugin("raw").manifest.version == "1.2.3"


def test_the_newest_version_by_its_numbers(place):
    put(place, "1.9.0")
    put(place, "1.10.0")
    built = build_index(place)
    assert built.entries["raw"]["version"] == "1.10.0"
    assert [path.name for path in built.older] == [f"raw-1.9.0-{SYSTEM}-{MACHINE}.tar.gz"]


def test_an_older_version_is_had_by_its_number_and_the_newest_again(place, plugins_dir):
    put(place, "1.9.0")
    put(place, "1.10.0")
    build_index(place)
    assert faults_of(place) == []
    for plugin, version in (("raw@1.9.0", "1.9.0"), ("raw", "1.10.0"), ("raw@1.9.0", "1.9.0")):
        assert install(Index(str(place)), plugin, lambda _: None).changed
        assert find_plugin("raw").manifest.version == version
    put(place, "1.9.0", description="another")
    [fault] = faults_of(place)
    assert "by its entry" in fault


def test_secrets_and_configuration_in_the_form_of_the_registry(place):
    put(place, required_secrets=["TOKEN"], required_config=["region"], keywords=["k"])
    entry = build_index(place, "https://x.example/i/").entries["raw"]
    assert entry["required_secrets"] == [{"name": "TOKEN", "sensitive": True}]
    assert entry["required_config"] == [{"name": "region"}]
    assert entry["keywords"] == ["k"]
    [download] = entry["downloads"]
    assert download["url"] == (f"https://x.example/i/archives/raw-1.2.3-{SYSTEM}-{MACHINE}.tar.gz")


def test_a_folder_whose_name_no_url_holds(place):
    path = put(place)
    path.parent.rename(place / "a b#c")
    [download] = build_index(place, "https://x.example").entries["raw"]["downloads"]
    assert download["url"] == f"https://x.example/a%20b%23c/{path.name}"


@pytest.mark.parametrize("capabilities", [[{"name": "x"}], ["iacProvider"], None])
def test_capabilities_of_another_form_are_those_of_another_host(place, capabilities):
    put(place, capabilities=capabilities)
    assert sorted(build_index(place).entries["raw"]["capabilities"]) == ["serviceMethods"]


@pytest.mark.parametrize("secrets", [1, {"a": 1}, [1]])
def test_secrets_of_no_known_form_are_named(place, secrets):
    put(place, required_secrets=secrets)
    with pytest.raises(InvalidField, match="required_secrets"):
        build_index(place)


def test_entries_without_archives_are_kept(place):
    put(place)
    other = {"name": "other", "version": "1.0.0", "author": "a", "description": "d"}
    other |= {"type": "builtin", "tier": "core", "license": "MIT"}
    (place / "plugins" / "other").mkdir(parents=True)
    (place / "plugins" / "other" / "manifest.json").write_text(json.dumps(other))
    build_index(place)
    listed = json.loads((place / "index.json").read_text())
    assert [entry["name"] for entry in listed] == ["other", "raw"]
    assert faults_of(place) == []


@pytest.mark.parametrize("base_url", ["http://x.example", "x.example", "file:///x"])
def test_a_base_that_is_not_https(place, base_url):
    with pytest.raises(FailedPrecondition, match="only https:// is"):
        build_index(place, base_url)


def misnamed(place):
    put(place).rename(place / "archives" / "raw.tar.gz")


def misnumbered(place):
    put(place).rename(place / "archives" / f"raw-1.2.4-{SYSTEM}-{MACHINE}.tar.gz")


def twice(place):
    path = put(place)
    (place / "more").mkdir()
    (place / "more" / path.name).write_bytes(path.read_bytes())


def hostile(place):
    put(place).write_bytes(tar_gz([*good_members(), member("raw/../../x")]))


def no_manifest(place):
    put(place).write_bytes(tar_gz([member("raw/raw", b"x")]))


def no_licence(place):
    document = json.loads(plugin_json())
    del document["license"]
    members = good_members()
    members[1] = member("raw/plugin.json", json.dumps(document).encode())
    put(place).write_bytes(tar_gz(members))


def bad_entry(place):
    (place / "plugins" / "other").mkdir(parents=True)
    (place / "plugins" / "other" / "manifest.json").write_text("{}")


def moved_entry(place):
    put(place)
    build_index(place)
    (place / "archives").rename(place.parent / "archives")
    (place / "plugins" / "raw").rename(place / "plugins" / "war")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (misnamed, "raw.tar.gz: allowed: NAME-X.Y.Z-OS-ARCH.tar.gz"),
        (misnumbered, "plugin.json has the version '1.2.3'; expected: '1.2.4'"),
        (twice, "two archives of this version"),
        (hostile, "leads out"),
        (no_manifest, "no plugin.json, neither at its top"),
        (no_licence, "license is missing"),
        (bad_entry, "name is missing"),
        (moved_entry, "name is 'raw'; allowed here: 'war'"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_written(place, make, said):
    make(place)
    (place / "index.json").write_text("as before")
    with pytest.raises(InvalidField) as caught:
        build_index(place)
    assert said in caught.value.message
    assert (place / "index.json").read_text() == "as before"


def alter_entry(place, **change):
    path = place / "plugins" / "raw" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def swap_archive(place):
    put(place, description="another")


def lose_archive(place):
    put(place).unlink()


def lose_list(place):
    (place / "index.json").unlink()


def other_list(place):
    (place / "index.json").write_text("[]")


def lose_versions(place):
    (place / "plugins" / "raw" / "versions.json").write_text("{}")


def wrong_field(place):
    alter_entry(place, extra=1)


def without_digest(place):
    alter_entry(place, downloads=[{"os": "linux", "arch": "amd64", "url": "https://x/y"}])
    (place / "index.json").write_text(
        json.dumps([json.loads((place / "plugins" / "raw" / "manifest.json").read_text())])
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (swap_archive, "by its entry"),
        (lose_archive, "No such file"),
        (lose_list, "index.json"),
        (other_list, "is not the list"),
        (lose_versions, "versions is missing"),
        (wrong_field, "extra is not known"),
        (without_digest, "has no sha256"),
    ],
)
def test_a_check_finds_what_is_no_longer_so(place, spoil, said):
    put(place)
    build_index(place)
    assert faults_of(place) == []
    spoil(place)
    [fault] = faults_of(place)
    assert said in fault
