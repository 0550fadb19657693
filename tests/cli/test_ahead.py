"""The plugin that is started before the command line is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dayfly.cli.ahead import claim, start_ahead

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAYFLY_PROVIDER", raising=False)
    monkeypatch.delenv("DAYFLY_CONFIG", raising=False)


@pytest.mark.parametrize(
    ("arguments", "provider"),
    [
        (["run", "--", "true"], "local"),
        (["run", "--on", "docker", "--image", "i", "--", "true"], "docker"),
        (["run", "--on=docker", "--", "echo", "--on", "local"], "docker"),
    ],
)
def test_it_is_the_one_that_is_needed(arguments: list[str], provider: str) -> None:
    start_ahead(arguments)
    process = claim(provider, ())
    assert process is not None
    assert process.plugin.name == provider
    process.close()
    assert claim(provider, ()) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ps"],
        ["run", "--help"],
        ["run", "--secret", "A=env:A", "--", "true"],
        ["run", "--on", "no-such-plugin", "--", "true"],
        ["run", "--on"],
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(arguments: list[str]) -> None:
    start_ahead(arguments)
    left = claim("local", ())
    if left is not None:
        left.close()
    assert (left is None) == (arguments != ["run", "--on"])


def test_a_plugin_that_must_inherit_more_is_started_anew() -> None:
    start_ahead(["run", "--", "true"])
    assert claim("local", ("TOKEN",)) is None
    process = claim("local", ())
    assert process is not None
    process.close()
