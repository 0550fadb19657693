"""The kit tested: it passes what is right, fails what is wrong, and says what it left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dayfly.testing import RunnerConformance, all_rules

DAYFLY = Path(sys.executable).with_name("dayfly")
FAULTS = {
    "starts-twice": "same-key-three-times-is-one-job",
    "joins-argv": "argv-arrives-intact",
    "guesses-the-code": "exit-codes-are-exact",
    "loses-a-line": "one-hundred-thousand-lines",
    "mixes-streams": "binary-output",
    "adds-a-newline": "no-newline-at-the-end",
    "shows-the-secret": "a-secret-is-nowhere-but-in-the-job",
    "ignores-a-field": "working-directory",
    "lets-jobs-out": "isolation",
    "invents-jobs": "an-unknown-handle-is-unknown",
}


class Kit:
    """The command, with the memory plugin installed and a configuration for each fault."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        plugin = directory / "plugins" / "memory"
        plugin.mkdir(parents=True)
        source = Path(__file__).with_name("memory_plugin.py")
        program = plugin / "memory"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {source} "$@"\n')
        program.chmod(0o755)
        about = {
            "name": "memory",
            "version": "1.0.0",
            "author": "tests",
            "description": "Jobs in memory.",
            "type": "external",
            "iacServices": [
                "workflow.plugin.external.iac.IaCProviderRequired",
                "workflow.plugin.external.iac.IaCProviderRunner",
                "dayfly.v1.Submit",
                "dayfly.v1.Observe",
            ],
        }
        (plugin / "plugin.json").write_text(json.dumps(about))
        tables = [f'[providers.{f}]\nplugin = "memory"\nfault = "{f}"\n' for f in FAULTS]
        (directory / "dayfly.toml").write_text("\n".join(tables))

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        environment = {
            **os.environ,
            "DAYFLY_PLUGINS_DIR": str(self.directory / "plugins"),
            "DAYFLY_STATE_DIR": str(self.directory / "state"),
        }
        done = subprocess.run(
            [DAYFLY, "conformance", *arguments],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def outcomes(self, *arguments: str) -> dict[str, tuple[str, str | None]]:
        code, out, err = self(*arguments, "--output", "json")
        assert code in {0, 1}, err
        document = json.loads(out)
        assert document["ok"] == (code == 0)
        return {rule["rule"]: (rule["outcome"], rule["detail"]) for rule in document["rules"]}


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


@pytest.mark.parametrize(("fault", "rule"), FAULTS.items())
def test_a_fault_is_found_by_its_rule(kit, fault, rule):
    outcome, detail = kit.outcomes("--on", fault, "--only", rule)[rule]
    assert outcome == "failed", detail
    assert detail


@pytest.mark.parametrize("rule", sorted(set(FAULTS.values()) - {"isolation", "working-directory"}))
def test_the_same_rule_holds_without_the_fault(kit, rule):
    assert kit.outcomes("memory", "--only", rule)[rule] == ("passed", None)


def test_what_is_not_there_is_skipped_and_named(kit):
    outcomes = kit.outcomes("memory", "--only", "dry-run")
    assert outcomes["a-dry-run-of-prune-changes-nothing"] == ("skipped", "not served: inventory")
    outcomes = kit.outcomes("memory", "--only", "working-directory")
    assert outcomes["working-directory"] == ("skipped", "not honoured: working_dir")
    outcomes = kit.outcomes("memory", "--only", "isolation")
    assert outcomes["isolation"] == ("skipped", "not honoured: isolation")


def test_a_deviation_is_named_and_must_be_true(kit):
    rule = "no-newline-at-the-end"
    common = ("--only", rule, "--deviation", f"{rule}=the terminal wants one")
    assert kit.outcomes("--on", "adds-a-newline", *common)[rule] == (
        "deviates",
        "the terminal wants one",
    )
    outcome, detail = kit.outcomes("memory", *common)[rule]
    assert outcome == "failed"
    assert "stale deviation" in str(detail)


def test_a_deviation_holds_for_an_error_that_was_not_raised_too(kit):
    rule = "same-key-other-job-is-refused"
    outcomes = kit.outcomes(
        "--on", "starts-twice", "--only", rule, "--deviation", f"{rule}=it is young"
    )
    assert outcomes[rule] == ("deviates", "it is young")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["memory", "--deviation", "no-such-rule=x"], "no-such-rule"),
        (["memory", "--deviation", "output-is-live"], "no reason"),
        (["memory", "--only", "no-such-rule"], "no-such-rule"),
        (["no-such-plugin"], "no-such-plugin"),
        (["./nowhere"], "nowhere"),
        ([], "Name a plugin"),
    ],
)
def test_bad_arguments_are_refused_by_name(kit, arguments, said):
    code, _, err = kit(*arguments)
    assert code == 125
    assert said in err
    assert "Traceback" not in err


def test_a_failed_rule_is_shown_in_text(kit):
    rule = "no-newline-at-the-end"
    code, out, err = kit("--on", "adds-a-newline", "--only", rule)
    assert code == 1
    assert f"FAILED    EveryLine: {rule}" in out
    assert "assert" in out
    assert "1 failed" in err


def test_the_list_has_every_rule_and_what_it_needs(kit):
    code, out, _ = kit("--list", "--output", "json")
    listed = json.loads(out)
    assert code == 0
    assert [item["rule"] for item in listed] == [rule.name for rule in all_rules()]
    assert kit("--list")[1].count("\n") == len(listed) + 1


def test_every_test_of_the_kit_is_a_rule():
    tests = {name for name in dir(RunnerConformance) if name.startswith("test_")}
    assert {name.removeprefix("test_").replace("_", "-") for name in tests} == {
        rule.name for rule in all_rules()
    }
    assert all(rule.title.endswith((".", ":")) for rule in all_rules())
