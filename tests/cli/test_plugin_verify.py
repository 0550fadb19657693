"""``plugin verify`` and ``plugin manifest``: real plugins, some of which lie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.plugins import SERVED, put_raw_plugin

from dayfly.cli.plugin import COMMANDS
from dayfly.host import find_plugin
from dayfly.version import __version__

BUILT_IN = ("local", "docker", "aws", "digitalocean")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_group_has_help_and_takes_output_json(cli, command):
    answer = cli("plugin", command, "--help")
    assert answer.code == 0
    assert "--output" in answer.text
    assert answer.stderr == ""


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_plugin_says_what_it_serves(cli, name):
    answer = cli("plugin", "manifest", name, "--check", "-o", "json")
    assert answer.json["differences"] == []
    manifest = json.loads(Path(find_plugin(name).manifest_path).read_text())
    assert all(s.startswith("workflow.plugin.external.iac.") for s in manifest["iacServices"])
    assert answer.json["ok"] is True
    assert answer.code == 0
    verified = cli("plugin", "verify", name, "-o", "json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["version"] == __version__


def test_the_table_has_a_row_for_each_service(cli):
    rows = cli("plugin", "verify", "local").text.splitlines()
    assert rows[0].split() == ["CHECK", "RESULT", "SEEN"]
    assert {row.split()[1] for row in rows[1:]} == {"ok"}
    assert "dayfly.v1.Submit" in "".join(rows)


@pytest.mark.parametrize(
    ("change", "subject", "severe", "message"),
    [
        ({"version": "1.2.4"}, "version", True, "plugin.json says '1.2.4'"),
        (
            {"iacServices": [*SERVED, "dayfly.v1.Events"]},
            "dayfly.v1.Events",
            True,
            "dayfly.v1.Events is declared and not announced",
        ),
        (
            {"iacServices": SERVED[:-1]},
            SERVED[-1],
            False,
            f"{SERVED[-1]} is announced and not declared",
        ),
    ],
)
def test_a_lie_is_found(cli, change, subject, severe, message):
    place = put_raw_plugin(cli.directory, **change)
    answer = cli("plugin", "verify", str(place), "-o", "json")
    assert answer.code == int(severe)
    assert answer.json["ok"] is not severe
    [finding] = answer.json["findings"]
    assert (finding["service"] or finding["field"]) == subject
    assert finding["severe"] is severe
    assert finding["message"].startswith(message)
    row = next(r for r in cli("plugin", "verify", str(place)).text.splitlines() if subject in r)
    assert ("FAILED" in row) is severe
    assert ("warning" in row) is not severe


def test_a_plugin_that_does_not_start_is_dayflys_own_failure(cli):
    place = put_raw_plugin(cli.directory, "dies-while-loading")
    answer = cli("plugin", "verify", str(place))
    assert answer.code == 125
    assert "my last words" in answer.stderr


def test_a_configuration_is_handed_over_and_asked_for(cli):
    put_raw_plugin(cli.directory / "plugins")
    config = cli.directory / "dayfly.toml"
    config.write_text('[providers.blue]\nplugin = "raw"\ncolour = "blue"\n')
    assert "colour is not a key" in cli("plugin", "verify", "raw", "--on", "blue").stderr
    assert cli("plugin", "verify", "raw").code == 0


def test_the_manifest_is_what_the_plugin_says_and_keeps_the_rest(cli):
    place = put_raw_plugin(
        cli.directory,
        version="0.0.1",
        license="MIT",
        iacServices=[],
        dayfly={"environment": ["RAW_*"]},
        homepage="https://raw.example",
    )
    assert cli("plugin", "manifest", str(place), "--check").code == 1
    written = cli("plugin", "manifest", str(place), "--write", "-o", "json")
    assert written.code == 0
    document = json.loads((place / "plugin.json").read_text())
    assert document == written.json
    assert (document["name"], document["version"], document["license"]) == ("raw", "1.2.3", "MIT")
    # The Go project's verifier refuses names of other packages in iacServices.
    assert document["iacServices"] == [SERVED[0], SERVED[-1]]
    assert document["capabilities"]["moduleTypes"] == ["iac.provider"]
    assert document["dayfly"] == {"environment": ["RAW_*"], "services": SERVED[1:-1]}
    assert document["homepage"] == "https://raw.example"
    checked = cli("plugin", "manifest", str(place), "--check")
    assert (checked.code, checked.text) == (0, f"{place}/plugin.json says what the plugin says\n")


@pytest.mark.parametrize("said", [[{"name": "x"}], {"iacProvider": None}, None])
def test_capabilities_of_an_older_form_are_a_difference(cli, said):
    """Plugins of the Go project had a list of them once."""
    place = put_raw_plugin(cli.directory, capabilities=said)
    answer = cli("plugin", "manifest", str(place), "--check", "-o", "json")
    assert answer.code == 1
    assert "capabilities" in [difference["field"] for difference in answer.json["differences"]]


def test_differences_are_named(cli):
    place = put_raw_plugin(cli.directory, version="9.9.9")
    answer = cli("plugin", "manifest", str(place), "--check", "-o", "json")
    [version] = [d for d in answer.json["differences"] if d["field"] == "version"]
    assert (version["manifest"], version["plugin"]) == ("9.9.9", "1.2.3")
    assert (
        'version is "9.9.9"; by the plugin: "1.2.3"'
        in cli("plugin", "manifest", str(place), "--check").text
    )


def test_a_module_that_has_no_manifest_yet(cli):
    package = cli.directory / "site" / "acme"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "from dayfly.sdk import Plugin, serve\n"
        "async def initialize(config): pass\n"
        "serve(Plugin(name='acme', version='3.2.1', author='A', initialize=initialize))\n"
    )
    path = {"PYTHONPATH": str(package.parent)}
    missing = cli("plugin", "manifest", "acme.__main__", "--check", env=path)
    assert missing.code == 125
    assert "--write" in missing.stderr
    printed = cli("plugin", "manifest", "acme.__main__", env=path).json
    assert (printed["name"], printed["version"]) == ("acme", "3.2.1")
    assert printed["dayfly"]["module"] == "acme.__main__"
    assert printed["iacServices"] == ["workflow.plugin.external.iac.IaCProviderRequired"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "nosuch"], "there is no plugin 'nosuch'"),
        (["verify", "./nowhere"], "nowhere"),
        (["verify"], "Missing argument"),
        (["verify", "local", "--on", "nosuch"], "nosuch"),
        (["manifest", "no.such.module"], "No module named"),
        (["manifest", "a.b-c"], "nor a module of Python"),
        (["manifest", "local", "--check", "--write"], "give one of them"),
    ],
)
def test_bad_arguments_are_refused(cli, arguments, said):
    answer = cli("plugin", *arguments)
    assert answer.code == 125
    assert said in answer.stderr
