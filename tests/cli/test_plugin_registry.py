"""``plugin search|info|install|list|remove|index`` from end to end, over https."""

from __future__ import annotations

import json

import pytest
import trustme
from tests.host.packages.shelf import Shelf, good_members, serving, tar_gz

GOOD = tar_gz(good_members())


@pytest.fixture
def shelf(cli):
    shelf = Shelf(cli.directory / "index")
    shelf.put(GOOD)
    return shelf


@pytest.fixture
def get(cli, shelf):
    """The command line, with the shelf as its index."""

    def run(*argv, **env):
        return cli("plugin", *argv, env={"DAYFLY_PLUGIN_INDEX": str(shelf.directory), **env})

    return run


def test_over_https_from_search_to_a_job_and_away(cli, shelf):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(cli.directory / "ca.pem"))
    env = {"SSL_CERT_FILE": str(cli.directory / "ca.pem")}
    with serving(shelf, authority) as address:
        where = ("--index", address)
        assert cli("plugin", "search", "RAW", *where, env=env).text.splitlines() == [
            "PLUGIN  VERSION  TYPE      ABOUT",
            "raw     1.2.3    external  A raw plugin.",
        ]
        assert "installs here  yes" in cli("plugin", "info", "raw", *where, env=env).text
        done = cli("plugin", "install", "raw", *where, env=env)
        assert done.code == 0, done.stderr
        assert done.text.startswith("installed raw 1.2.3 into ")
        assert f"downloading raw 1.2.3 from {'raw.tar.gz'}" in done.stderr
        untrusted = cli("plugin", "search", *where)
        assert untrusted.code == 125
        assert "certificate is not good" in untrusted.stderr
    assert cli("describe", "--on", "raw", "-o", "json").json["provider"] == "raw"
    [listed] = cli("plugin", "list", "-o", "json").json["plugins"]
    assert (listed["name"], listed["installed"], listed["changed"]) == ("raw", True, None)
    assert listed["source"] == f"{address}/raw.tar.gz"
    assert cli("plugin", "remove", "raw").text.startswith("removed raw 1.2.3")
    assert cli("describe", "--on", "raw").code == 125


def test_as_json(get, cli):
    [found] = get("search", "-o", "json").json["plugins"]
    assert (found["name"], found["version"]) == ("raw", "1.2.3")
    info = get("info", "raw", "-o", "json").json
    assert (info["installable"], info["why_not"], info["license"]) == (True, None, "MIT")
    done = get("install", "raw", "-o", "json").json
    assert done["changed"] is True
    assert done["former_version"] is None
    assert done["directory"] == str(cli.directory / "plugins" / "raw")
    assert get("install", "raw", "-o", "json").json["changed"] is False
    assert get("remove", "raw", "-o", "json").json["name"] == "raw"


def test_what_an_index_says_steers_no_terminal(get, shelf):
    """Nor does it turn round what stands beside it."""
    shelf.put(GOOD, description="\x1b]0;t\x07 \x9b31m \u202eevil\u2066 \u2028\u200f\u061c")
    said = r"\x1b]0;t\x07 \x9b31m \u202eevil\u2066 \u2028\u200f\u061c"
    for command in (["search"], ["info", "raw"]):
        assert said in get(*command).text


def test_one_version_and_back(get, cli, shelf):
    from tests.host.packages.shelf import MACHINE, SYSTEM

    for version in ("1.2.3", "1.3.0"):
        path = shelf.directory / f"raw-{version}-{SYSTEM}-{MACHINE}.tar.gz"
        path.write_bytes(tar_gz(good_members(version=version)))
    (shelf.directory / "raw.tar.gz").unlink()
    assert "installed by NAME@VERSION alone" in cli("plugin", "index", "index").stderr
    assert "raw 1.2.3" in get("info", "raw@1.2.3").text
    assert "installed raw 1.3.0" in get("install", "raw").text
    assert "installed raw 1.2.3 instead of 1.3.0" in get("install", "raw@1.2.3").text


def test_what_a_plugin_needs_is_said(get, shelf):
    needed = [{"name": "other", "minVersion": "1.0.0", "maxVersion": "1.9.9"}, {"name": "more"}]
    shelf.put(GOOD, dependencies=needed, required_config=[{"name": "region"}])
    said = get("info", "raw").text
    assert "other >= 1.0.0 <= 1.9.9" in said
    assert "region" in said
    installed = get("install", "raw")
    assert installed.code == 0
    assert "needs other >= 1.0.0 <= 1.9.9, more" in installed.stderr


def test_an_update_says_what_it_replaced(get, shelf):
    get("install", "raw")
    assert "installed already" in get("install", "raw").text
    shelf.put(tar_gz(good_members(version="1.3.0")), version="1.3.0")
    assert "installed raw 1.3.0 instead of 1.2.3" in get("install", "raw").text


def test_an_altered_plugin_is_not_run_and_listed_as_such(get, cli):
    get("install", "raw")
    program = cli.directory / "plugins" / "raw" / "raw"
    program.write_text("#!/bin/sh\ntouch ran\n")
    refused = cli("run", "--on", "raw", "--", "true")
    assert refused.code == 125
    assert f"{program} was changed" in refused.stderr
    assert not (program.parent / "ran").exists()
    listed = get("list")
    assert (listed.code, "was changed" in listed.text) == (1, True)
    assert cli("providers").code == 0
    assert get("remove", "raw").code == 0


def test_a_hostile_archive_is_named_and_leaves_nothing(get, cli, shelf):
    from tests.host.packages.shelf import member

    shelf.put(tar_gz([*good_members(), member("raw/../../../evil", b"x")]))
    answer = get("install", "raw", "--output", "json")
    assert answer.code == 125
    assert answer.json["error"]["field"] == "archive"
    assert "leads out of its folder" in answer.stderr
    assert not list((cli.directory / "plugins").glob("*raw*"))


def test_what_was_put_there_by_hand_is_listed_and_left(get, cli, shelf):
    place = cli.directory / "plugins" / "mine"
    place.mkdir(parents=True)
    (place / "plugin.json").write_text("{")
    assert get("list").text.splitlines()[1].split() == ["mine", "?", "put", "there", "by", "hand"]
    assert get("remove", "mine").code == 125
    assert place.exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["search", "--index", ""], "DAYFLY_PLUGIN_INDEX"),
        (["search", "--index", "http://localhost/x"], "only https:// is"),
        (["search", "--index", "./nowhere"], "is no index"),
        (["info", "nosuch"], "there is no plugin 'nosuch'"),
        (["install", "raw@latest"], "the version of plugin is 'latest'; allowed: X.Y.Z"),
        (["install", "raw@9.9.9"], "in version 1.2.3 alone"),
        (["install", "../raw"], "allowed: 2 to 63 lower case"),
        (["remove", "../raw"], "allowed: 2 to 63 lower case"),
        (["remove", "nosuch"], "no plugin 'nosuch' was installed"),
        (["index", "./nowhere"], "does not exist"),
    ],
)
def test_bad_arguments_are_refused(get, argv, said):
    answer = get(*argv)
    assert answer.code == 125
    assert said in answer.stderr


def test_nothing_found_and_nothing_installed(get):
    assert "nothing in" in get("search", "zebra").stderr
    assert get("list", "-o", "json").json["plugins"] == []


def test_an_entry_that_is_broken_is_told_beside_the_others(get, shelf):
    (shelf.directory / "plugins" / "bad").mkdir()
    (shelf.directory / "plugins" / "bad" / "manifest.json").write_text("{")
    answer = get("search", "-o", "json")
    assert [item["name"] for item in answer.json["plugins"]] == ["raw"]
    assert "is not JSON" in answer.json["broken"][0]["message"]
    assert "is not JSON" in get("search").stderr


def test_making_an_index_and_checking_it(cli, get, shelf):
    from tests.host.packages.shelf import MACHINE, SYSTEM

    (shelf.directory / "raw.tar.gz").rename(
        shelf.directory / f"raw-1.2.3-{SYSTEM}-{MACHINE}.tar.gz"
    )
    made = cli("plugin", "index", "index")
    assert made.text.splitlines()[1].split() == ["raw", "1.2.3", f"{SYSTEM}/{MACHINE}"]
    checked = cli("plugin", "index", "index", "--check")
    assert (checked.code, checked.text) == (0, "index holds what it says\n")
    assert get("install", "raw").code == 0
    (shelf.directory / "index.json").write_text(json.dumps([]))
    spoiled = cli("plugin", "index", "index", "--check", "-o", "json")
    assert (spoiled.code, spoiled.json["ok"]) == (1, False)
    assert cli("plugin", "index", "index", "--base-url", "http://x").code == 125
