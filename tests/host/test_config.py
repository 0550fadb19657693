"""dayfly.toml: where it is found, what it may say, how it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.host import config_schema, load_config
from dayfly.host.config import parse_config

WHOLE = """
default = "prod"
[providers.prod]
plugin = "docker"
pass_env = ["DATABASE_URL", "AWS_*"]
host = "unix:///run/docker.sock"
[providers.prod.secrets]
db = "env:DB"
key = "file:/run/key"
[providers.spare]
plugin = "local"
"""


@pytest.fixture(autouse=True)
def no_configuration_of_the_machine(monkeypatch):
    monkeypatch.delenv("DAYFLY_CONFIG", raising=False)


def test_a_whole_file_is_found_upward(tmp_path):
    (tmp_path / "dayfly.toml").write_text(WHOLE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    config = load_config(below)
    assert config.path == tmp_path / "dayfly.toml"
    assert config.default_provider == "prod"
    prod = config.provider()
    assert (prod.name, prod.plugin) == ("prod", "docker")
    assert prod.pass_env == ("DATABASE_URL", "AWS_*", "DB")
    assert prod.settings == {
        "host": "unix:///run/docker.sock",
        "secrets": {"db": "env:DB", "key": "file:/run/key"},
    }
    assert config.provider("spare").settings == {}


def test_the_table_in_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.dayfly.providers.x]\nplugin = "local"\n')
    assert load_config(tmp_path).provider("x").plugin == "local"


def test_a_pyproject_without_the_table_is_passed_by(tmp_path):
    (tmp_path / "dayfly.toml").write_text(WHOLE)
    below = tmp_path / "project"
    below.mkdir()
    (below / "pyproject.toml").write_text('[project]\nname = "uses-dayfly"\n')
    assert load_config(below).path == tmp_path / "dayfly.toml"


def test_the_environment_names_a_file(tmp_path, monkeypatch):
    path = tmp_path / "elsewhere.toml"
    path.write_text(WHOLE)
    monkeypatch.setenv("DAYFLY_CONFIG", str(path))
    assert load_config().path == path
    path.unlink()
    with pytest.raises(NotFound, match="DAYFLY_CONFIG"):
        load_config()


def test_without_any_file_plugins_work_by_their_names(tmp_path):
    config = load_config(tmp_path)
    assert config.path is None
    assert config.provider().plugin == "local"
    assert config.provider("docker").plugin == "docker"


@pytest.mark.parametrize("name", ["nope", "NOPE", "../local", "x" * 500])
def test_a_provider_that_is_neither(tmp_path, name):
    (tmp_path / "dayfly.toml").write_text(WHOLE)
    with pytest.raises(NotFound, match="configured are: prod, spare"):
        load_config(tmp_path).provider(name)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("defualt = 'x'", "defualt"),
        ("default = 5", "default"),
        ("default = ''", "default"),
        ("providers = 5", "providers"),
        ("[providers.'a b']\nplugin = 'x1'", "providers"),
        ("providers.prod = 1", "providers.prod"),
        ("[providers.prod]", "providers.prod.plugin"),
        ("[providers.prod]\nplugin = 'No'", "providers.prod.plugin"),
        ("[providers.prod]\nplugin = 'local'\npass_env = 'X'", "providers.prod.pass_env"),
        ("[providers.prod]\nplugin = 'local'\npass_env = ['*']", "providers.prod.pass_env[0]"),
        ("[providers.prod]\nplugin = 'local'\nwhen = 2026-01-01", "providers.prod.when"),
        ("[providers.prod]\nplugin = 'local'\na.b = [1, nan]", "providers.prod.a.b[1]"),
        ("this is not toml", "configuration"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path, text, field):
    (tmp_path / "dayfly.toml").write_text(text)
    with pytest.raises(InvalidField, match=str(tmp_path / "dayfly.toml")) as caught:
        load_config(tmp_path)
    assert caught.value.field == field


def test_a_wrong_key_in_pyproject_is_named_from_its_top(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.dayfly.providers.x]\nplugin = 1\n")
    with pytest.raises(InvalidField) as caught:
        load_config(tmp_path)
    assert caught.value.field == "tool.dayfly.providers.x.plugin"


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PROVIDERS = st.dictionaries(
    st.sampled_from(["prod", "a b", ""]),
    st.dictionaries(st.sampled_from(["plugin", "pass_env", "secrets", "x"]), VALUES) | VALUES,
)


@given(st.dictionaries(st.sampled_from(["default", "x"]), VALUES), PROVIDERS | VALUES)
def test_no_document_brings_another_error(top, providers):
    refused = None
    try:
        parse_config(top | {"providers": providers})
    except InvalidField as error:
        refused = error
    assert refused is None or refused.field


def test_the_schema_agrees_with_the_checks():
    import tomllib

    Draft202012Validator.check_schema(config_schema())
    validator = Draft202012Validator(config_schema())
    assert validator.is_valid(tomllib.loads(WHOLE))
    for bad in ("defualt = 'x'", "[providers.prod]", "[providers.p]\nplugin='l1'\npass_env=['*']"):
        assert not validator.is_valid(tomllib.loads(bad))
        with pytest.raises(InvalidField):
            parse_config(tomllib.loads(bad))
