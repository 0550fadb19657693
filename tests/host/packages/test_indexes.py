"""Indexes: a directory, a file, and both of them over https; and what is refused in them."""

from __future__ import annotations

import io
import json

import pytest
from tests.host.packages.shelf import entry, good_members, tar_gz

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.host.packages.entries import download_for, parse_entry
from dayfly.host.packages.indexes import Index

GOOD = entry(b"", "raw.tar.gz")


@pytest.fixture(params=["directory", "file", "web", "web file"])
def location(request, shelf) -> str:
    shelf.put(tar_gz(good_members()))
    base = str(shelf.directory)
    if request.param.startswith("web"):
        base = request.getfixturevalue("web")
    return f"{base}/index.json" if request.param.endswith("file") else base


def test_search_entry_and_archive(location, shelf):
    index = Index(location)
    listed, broken = index.listed()
    assert [(item.name, item.version, item.kind) for item in listed] == [
        ("raw", "1.2.3", "external")
    ]
    assert broken == []
    found = index.entry("raw")
    assert found.description == "A raw plugin."
    into = io.BytesIO()
    source = index.source.copy(found.downloads[0], into)
    assert into.getvalue() == (shelf.directory / "raw.tar.gz").read_bytes()
    assert source.endswith("/raw.tar.gz")


def test_what_is_not_there_is_named(location):
    with pytest.raises(NotFound, match="there is no plugin 'nosuch' in"):
        Index(location).entry("nosuch")


def test_a_file_beside_one_in_the_current_directory(shelf, monkeypatch):
    shelf.put(tar_gz(good_members()))
    monkeypatch.chdir(shelf.directory)
    for location in ("index.json", "."):
        index = Index(location)
        into = io.BytesIO()
        index.source.copy(index.entry("raw").downloads[0], into)
        assert into.getvalue()


@pytest.mark.parametrize(
    ("location", "kind", "said"),
    [
        ("", InvalidField, "DAYFLY_PLUGIN_INDEX"),
        ("http://localhost/index", FailedPrecondition, "only https:// is"),
        ("file:///tmp", FailedPrecondition, "only https:// is"),
    ],
)
def test_a_location_that_is_none(location, kind, said):
    with pytest.raises(kind) as caught:
        Index(location)
    assert said in str(caught.value)


def test_no_index_there(tmp_path):
    with pytest.raises(NotFound, match="is no index"):
        Index(str(tmp_path / "nowhere")).listed()


@pytest.mark.parametrize("name", ["../raw", "a/b", "Raw", "", "x" * 64])
def test_a_name_that_would_leave_the_index(shelf, name):
    with pytest.raises(InvalidField) as caught:
        Index(str(shelf.directory)).entry(name)
    assert caught.value.field == "plugin"


def test_one_that_is_broken_does_not_hide_the_others(shelf):
    shelf.put(tar_gz(good_members()))
    for name, text in (("bad", "{"), ("odd", "[]"), ("half", '{"name": "half"}')):
        (shelf.directory / "plugins" / name).mkdir()
        (shelf.directory / "plugins" / name / "manifest.json").write_text(text)
    listed, broken = Index(str(shelf.directory)).listed()
    assert [item.name for item in listed] == ["raw"]
    assert [error.message.split("/")[-2] for error in broken] == ["bad", "half", "odd"]


def test_an_entry_under_another_name(shelf):
    shelf.put(tar_gz(good_members()), name="other")
    with pytest.raises(InvalidField, match="name is 'other'; allowed here: 'raw'"):
        Index(str(shelf.directory)).entry("raw")


def test_an_index_of_another_kind_of_host_is_searched(tmp_path):
    """It lists less than an entry, and fields of its own beside."""
    summary = {"name": "theirs", "version": "1.0.0", "description": "d", "type": "builtin"}
    summary |= {"status": None, "extra": 1, "keywords": ["k"]}
    (tmp_path / "index.json").write_text(json.dumps([summary]))
    [item] = Index(str(tmp_path / "index.json")).listed()[0]
    assert (item.name, item.keywords) == ("theirs", ("k",))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": "1.2"}, "version"),
        ({"type": "plugin"}, "type"),
        ({"tier": "free"}, "tier"),
        ({"license": None}, "license"),
        ({"iacServices": []}, "iacServices"),
        ({"dayfly": {}}, "dayfly"),
        ({"keywords": "x"}, "keywords"),
        ({"keywords": [1]}, "keywords[0]"),
        ({"private": 1}, "private"),
        ({"capabilities": {"moduleTypes": ["a"], "other": 1}}, "capabilities.other"),
        ({"capabilities": {"iacProvider": {}}}, "capabilities.iacProvider.name"),
        ({"downloads": [{"os": "linux", "arch": "amd64"}]}, "downloads[0].url"),
        ({"downloads": [{"os": "plan9", "arch": "amd64", "url": "x"}]}, "downloads[0].os"),
        ({"downloads": [{"os": "linux", "arch": "mips", "url": "x"}]}, "downloads[0].arch"),
        ({"downloads": [{**GOOD["downloads"][0], "size": 1}]}, "downloads[0].size"),
        ({"dependencies": [{"name": "x", "minVersion": "1"}]}, "dependencies[0].minVersion"),
        ({"required_secrets": [{"name": "X"}]}, "required_secrets[0].sensitive"),
    ],
)
def test_a_wrong_field_of_an_entry_is_named(change, field):
    with pytest.raises(InvalidField) as caught:
        parse_entry(GOOD | change)
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize(
    "field", ["name", "version", "author", "description", "type", "tier", "license"]
)
def test_a_missing_field_of_an_entry_is_named(field):
    with pytest.raises(InvalidField, match=f"^{field} is missing"):
        parse_entry({key: value for key, value in GOOD.items() if key != field})


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_an_entry_is_an_object(document):
    with pytest.raises(InvalidField, match="allowed: an object"):
        parse_entry(document)


def test_a_download_is_chosen_by_the_machine():
    one = {"arch": "arm64", "os": "darwin", "url": "https://x/y", "sha256": "A" * 64}
    chosen = download_for(parse_entry(GOOD | {"downloads": [one]}), "darwin", "arm64")
    assert chosen.sha256 == "a" * 64
    with pytest.raises(NotFound, match="linux/amd64; there are: darwin/arm64"):
        download_for(parse_entry(GOOD | {"downloads": [one]}), "linux", "amd64")


def test_without_a_digest_nothing_is_downloaded():
    one = {"arch": "amd64", "os": "linux", "url": "https://x/y"}
    with pytest.raises(FailedPrecondition, match="no sha256 for https://x/y"):
        download_for(parse_entry(GOOD | {"downloads": [one]}), "linux", "amd64")
    with pytest.raises(InvalidField, match="64 hexadecimal"):
        download_for(
            parse_entry(GOOD | {"downloads": [{**one, "sha256": "abc"}]}), "linux", "amd64"
        )


@pytest.mark.parametrize("kind", ["builtin", "ui"])
def test_only_external_plugins_are_for_this_host(kind):
    with pytest.raises(FailedPrecondition, match=f"its type is '{kind}'"):
        download_for(parse_entry(GOOD | {"type": kind}), "linux", "amd64")


@pytest.mark.parametrize(
    "url", ["http://x/y", "/etc/passwd", "../x", "a/../../b", "file:x", "", "ftp://x/y"]
)
def test_a_download_from_elsewhere_is_refused(shelf, url):
    shelf.put(b"", url=url)
    index = Index(str(shelf.directory))
    with pytest.raises(FailedPrecondition, match="https"):
        index.source.copy(index.entry("raw").downloads[0], io.BytesIO())


def versions(*numbers: str) -> dict[str, object]:
    """As the published workflow-registry lists them: null, and fields of its own."""
    items = [
        {
            "version": number,
            "released": "2026-07-01T00:00:00Z",
            "prerelease": False,
            "minEngineVersion": None,
            "downloads": [{**GOOD["downloads"][0], "url": f"raw-{number}.tar.gz"}],
        }
        for number in numbers
    ]
    return {"name": "raw", "versions": items}


@pytest.mark.parametrize("base", ["", "/index.json"])
def test_the_published_form_of_the_registry(shelf, web, base):
    """A list that says less than the entries beside it, and all versions in a third file."""
    document = shelf.put(b"")
    summary = {key: value for key, value in document.items() if key != "downloads"}
    (shelf.directory / "index.json").write_text(json.dumps([summary | {"assets": None}]))
    place = shelf.directory / "plugins" / "raw"
    (place / "versions.json").write_text(json.dumps(versions("1.3.0", "1.2.3", "1.0.0")))
    index = Index(f"{web}{base}")
    assert [item.name for item in index.listed()[0]] == ["raw"]
    assert index.entry("raw").downloads[0].url == "raw.tar.gz"
    older = index.entry("raw", "1.0.0")
    assert (older.version, older.downloads[0].url) == ("1.0.0", "raw-1.0.0.tar.gz")
    with pytest.raises(NotFound, match=r"no version 9\.0\.0 of .*; there are: 1\.2\.3, 1\.3\.0"):
        index.entry("raw", "9.0.0")


def test_a_digest_that_the_entry_lacks_is_looked_up_beside_it(shelf):
    [download] = GOOD["downloads"]
    bare = {key: value for key, value in download.items() if key != "sha256"}
    shelf.put(b"", downloads=[bare])
    index = Index(str(shelf.directory))
    assert index.entry("raw").downloads[0].sha256 == ""
    place = shelf.directory / "plugins" / "raw"
    (place / "versions.json").write_text(json.dumps(versions("1.2.3")))
    assert index.entry("raw").downloads[0].sha256 == download["sha256"]


def test_one_version_alone_says_which(shelf):
    shelf.put(b"")
    index = Index(str(shelf.directory))
    assert index.entry("raw", "1.2.3").version == "1.2.3"
    with pytest.raises(NotFound, match=r"has plugin 'raw' in version 1\.2\.3 alone"):
        index.entry("raw", "1.0.0")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[]", "versions"),
        ('{"versions": [{}]}', "versions[0].version"),
        (
            '{"versions": [{"version": "1.0.0", "downloads": [{"os": "linux"}]}]}',
            "versions[0].downloads[0].arch",
        ),
    ],
)
def test_a_wrong_list_of_versions_is_named(shelf, text, field):
    shelf.put(b"")
    (shelf.directory / "plugins" / "raw" / "versions.json").write_text(text)
    with pytest.raises(InvalidField, match=r"versions\.json: ") as caught:
        Index(str(shelf.directory)).entry("raw", "1.0.0")
    assert caught.value.field == field


def test_what_is_built_into_other_hosts_has_its_folders_name(shelf):
    shelf.put(b"", name="long-name", type="builtin")
    index = Index(str(shelf.directory))
    assert [item.name for item in index.listed()[0]] == ["raw"]
    assert index.entry("raw").name == "raw"


def test_a_path_within_an_index_on_the_web_may_have_a_space(shelf, web):
    shelf.put(b"", url="a b/raw#1.tar.gz")
    (shelf.directory / "a b").mkdir()
    (shelf.directory / "a b" / "raw#1.tar.gz").write_bytes(b"an archive")
    into = io.BytesIO()
    index = Index(web)
    index.source.copy(index.entry("raw").downloads[0], into)
    assert into.getvalue() == b"an archive"
