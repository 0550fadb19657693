from __future__ import annotations

import pytest

from dayfly.cli.environment import job_environment, pairs
from dayfly.contract.errors import InvalidField


def test_flags_win_over_files_and_values_stay_as_they_are(tmp_path, monkeypatch):
    file = tmp_path / "env"
    file.write_text('# a comment\n\nA=1\nB="quoted" # kept\nHERE\n  C = 3\n')
    monkeypatch.setenv("HERE", "from here")
    table = job_environment(["A=2", "EMPTY=", "TWO=a=b"], [file])
    assert table == {
        "A": "2",
        "B": '"quoted" # kept',
        "HERE": "from here",
        "C ": " 3",
        "EMPTY": "",
        "TWO": "a=b",
    }


def test_a_variable_that_is_not_set_here_is_refused(monkeypatch):
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    with pytest.raises(InvalidField, match="NOT_SET_HERE is not set here"):
        job_environment(["NOT_SET_HERE"], [])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"=value\n", b"A=1\n" * 400_000])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    file = tmp_path / "env"
    file.write_bytes(content)
    with pytest.raises(InvalidField, match="env") as caught:
        job_environment([], [file])
    assert caught.value.field == "env_file"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidField, match="No such file"):
        job_environment([], [tmp_path / "none"])


def test_a_secret_that_stands_for_a_reference_is_not_shown():
    with pytest.raises(InvalidField) as caught:
        pairs(["hunter2"], flag="--secret", field="secrets")
    assert "hunter2" not in str(caught.value)


def test_a_name_given_twice_is_refused():
    with pytest.raises(InvalidField, match="A is given twice"):
        pairs(["A=1", "A=2"], flag="--label", field="labels")
