"""plugin.json: each wrong field is named, and nothing else ever comes out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract import names
from dayfly.contract.errors import InvalidField
from dayfly.host.manifests import parse_manifest, read_manifest

GOOD = {"name": "my-cloud", "version": "1.2.3", "author": "a", "description": "d"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ("name", "version", "author", "description", "type", "iacServices", "iacProvider",
          "required_config", "dayfly")  # fmt: skip


def test_a_whole_one_of_the_go_project():
    manifest = parse_manifest(
        GOOD
        | {
            "type": "external",
            "tier": "community",
            "minEngineVersion": "0.3.0",
            "iacServices": [names.RUNNER],
            "iacProvider": {"computePlanVersion": "v2"},
            "capabilities": {"iacProvider": {"name": "x"}, "moduleTypes": ["iac.provider"]},
            "required_config": ["region"],
            "dayfly": {
                "environment": ["AWS_*", "HOME"],
                "module": "my_cloud.plugin",
                "services": [names.SUBMIT],
            },
        }
    )
    assert manifest.services == (names.RUNNER, names.SUBMIT)
    assert manifest.environment == ("AWS_*", "HOME")
    assert manifest.module == "my_cloud.plugin"
    assert manifest.required_config == ("region",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "My_Cloud"}, "name"),
        ({"name": "x" * 3 + "-"}, "name"),
        ({"name": "../evil"}, "name"),
        ({"name": 5}, "name"),
        ({"version": "1.2"}, "version"),
        ({"version": "v1.2.3"}, "version"),
        ({"version": "1.2.3\n"}, "version"),
        ({"author": ""}, "author"),
        ({"description": None}, "description"),
        ({"type": "builtin"}, "type"),
        ({"iacServices": "one"}, "iacServices"),
        ({"iacServices": ["no dots"]}, "iacServices[0]"),
        ({"iacProvider": {"computePlanVersion": "v1"}}, "iacProvider.computePlanVersion"),
        ({"dayfly": []}, "dayfly"),
        ({"dayfly": {"modul": "x"}}, "dayfly.modul"),
        ({"dayfly": {"module": "a b"}}, "dayfly.module"),
        ({"dayfly": {"services": ["no dots"]}}, "dayfly.services[0]"),
        ({"dayfly": {"environment": ["*"]}}, "dayfly.environment[0]"),
        ({"dayfly": {"environment": ["OK", "A*B"]}}, "dayfly.environment[1]"),
        ({"dayfly": {"environment": ["PLUGIN_CLIENT_CERT"]}}, "dayfly.environment[0]"),
        ({"dayfly": {"environment": ["WORKFLOW_PLUGIN"]}}, "dayfly.environment[0]"),
    ],
)
def test_a_wrong_field_is_named(change, field):
    with pytest.raises(InvalidField) as caught:
        parse_manifest(GOOD | change)
    assert caught.value.field == field


@pytest.mark.parametrize("field", ["name", "version", "author", "description"])
def test_a_missing_field_is_named(field):
    with pytest.raises(InvalidField) as caught:
        parse_manifest({key: value for key, value in GOOD.items() if key != field})
    assert caught.value.field == field


@given(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON)
def test_no_document_brings_another_error(document):
    whole = GOOD | document if isinstance(document, dict) else document
    refused = None
    try:
        assert parse_manifest(whole).name
    except InvalidField as error:
        refused = error
    assert refused is None or refused.field


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_none(tmp_path, raw):
    path = tmp_path / "plugin.json"
    path.write_bytes(raw)
    with pytest.raises(InvalidField, match=r"plugin\.json: ") as caught:
        read_manifest(path)
    assert caught.value.field == "manifest"


def test_the_path_is_in_the_message(tmp_path):
    path = tmp_path / "plugin.json"
    path.write_text(json.dumps(GOOD | {"version": "1"}))
    with pytest.raises(InvalidField, match=f"{path}: version is '1'"):
        read_manifest(path)
