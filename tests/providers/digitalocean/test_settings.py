"""What ``[providers.NAME]`` may say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.config import Config, read_config
from dayfly.providers.digitalocean.sizes import SLUGS

PROJECT = "88b72d1a-b78a-4d9f-9090-b53c4399073f"
TOKEN = "dop_v1_" + "0123456789abcdef" * 4
OLD_TOKEN = "0123456789abcdef" * 4


def test_the_defaults() -> None:
    assert read_config({}) == Config()


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [
        ("token", "keyring:digitalocean/me", "keyring:digitalocean/me"),
        ("token", "file:/run/secrets/token", "file:/run/secrets/token"),
        ("token_env", "MY_TOKEN", "MY_TOKEN"),
        ("endpoint_url", "https://localhost:8443", "https://localhost:8443"),
        ("endpoint_url", "https://[::1]:8443/do/", "https://[::1]:8443/do"),
        ("ca_file", "/etc/ca.pem", "/etc/ca.pem"),
        ("region", "fra", "fra"),
        ("project_id", PROJECT, PROJECT),
        ("size", "apps-d-8vcpu-32gb", "apps-d-8vcpu-32gb"),
        ("cpu", "dedicated", "dedicated"),
        ("tags", "refuse", "refuse"),
        ("tags", "allow", "allow"),
        ("self_reported_exit", True, True),
        ("log_drain_seconds", 0, 0),
        ("log_drain_seconds", 2.5, 2.5),
        ("registry_credentials", {"ghcr.io": "env:GHCR"}, {"ghcr.io": "env:GHCR"}),
        ("registry_credentials", {"docker.io": "file:/c"}, {"docker.io": "file:/c"}),
        ("secrets", {"db": "env:DATABASE"}, {"db": "env:DATABASE"}),
    ],
)
def test_a_setting_is_read(key: str, given: object, read: object) -> None:
    config = read_config({key: given})
    assert getattr(config, key) == read
    assert type(getattr(config, key)) is type(read)
    # Nothing else changed with it.
    assert config == Config(**{key: read})


def test_a_portable_name_is_looked_up_in_the_table() -> None:
    document = {
        "token": "secret://do#token",
        "registry_credentials": {"ghcr.io": "secret://ghcr"},
        "secrets": {"do": "file:/do.json", "ghcr": "env:GHCR"},
    }
    config = read_config(document)
    assert config.token == "secret://do#token"
    assert config.registry_credentials == {"ghcr.io": "secret://ghcr"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"regoin": "fra"}, "regoin"),
        ({"token": 1}, "token"),
        ({"token": "hunter2"}, "token"),
        ({"token": "vault:x"}, "token"),
        ({"token": "secret://nobody"}, "token"),
        ({"token_env": "MY-TOKEN"}, "token_env"),
        ({"token_env": 1}, "token_env"),
        ({"token": "env:A", "token_env": "B"}, "token_env"),
        ({"endpoint_url": "http://localhost"}, "endpoint_url"),
        ({"endpoint_url": "api.digitalocean.com"}, "endpoint_url"),
        ({"endpoint_url": "https://"}, "endpoint_url"),
        ({"endpoint_url": "https://:80"}, "endpoint_url"),
        ({"endpoint_url": "https://h:port"}, "endpoint_url"),
        ({"endpoint_url": "https://h:0"}, "endpoint_url"),
        ({"endpoint_url": "https://a b"}, "endpoint_url"),
        ({"endpoint_url": "https://[::1"}, "endpoint_url"),
        ({"endpoint_url": "https://h/?token=x"}, "endpoint_url"),
        ({"endpoint_url": "https://h/#part"}, "endpoint_url"),
        ({"endpoint_url": "https://me:pw@h"}, "endpoint_url"),
        ({"endpoint_url": 443}, "endpoint_url"),
        ({"ca_file": 1}, "ca_file"),
        ({"ca_file": "a\0b"}, "ca_file"),
        ({"region": "fra1"}, "region"),
        ({"region": ["fra"]}, "region"),
        ({"project_id": "mine"}, "project_id"),
        ({"project_id": PROJECT + "\n"}, "project_id"),
        ({"size": "basic-xxs"}, "size"),
        ({"size": "apps-s-1vcpu-1xgb"}, "size"),
        ({"size": "apps-s-1vcpu-1gb", "cpu": "dedicated"}, "size"),
        ({"cpu": "fast"}, "cpu"),
        ({"cpu": ["shared"]}, "cpu"),
        ({"tags": "latest"}, "tags"),
        ({"self_reported_exit": "yes"}, "self_reported_exit"),
        ({"log_drain_seconds": -1}, "log_drain_seconds"),
        ({"log_drain_seconds": 601}, "log_drain_seconds"),
        ({"log_drain_seconds": float("nan")}, "log_drain_seconds"),
        ({"log_drain_seconds": True}, "log_drain_seconds"),
        ({"registry_credentials": "env:A"}, "registry_credentials"),
        ({"registry_credentials": {"quay.io": "env:A"}}, "registry_credentials.quay.io"),
        ({"registry_credentials": {"ghcr.io": 1}}, "registry_credentials.ghcr.io"),
        ({"registry_credentials": {"ghcr.io": "me:pw"}}, "registry_credentials.ghcr.io"),
        ({"registry_credentials": {"ghcr.io": "secret://x"}}, "registry_credentials.ghcr.io"),
        ({"secrets": "x"}, "secrets"),
        ({"secrets": {"db": 1}}, "secrets.db"),
        ({"secrets": {"db": "hunter2"}}, "secrets.db"),
        ({"secrets": {"db": "secret://other"}}, "secrets.db"),
    ],
)
def test_a_bad_setting_is_named(document: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_config(document)
    assert caught.value.field == field
    assert field in caught.value.message


TEXTS = [
    "token", "token_env", "endpoint_url", "ca_file", "region", "project_id", "size", "cpu", "tags",
]  # fmt: skip


@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN, f"https://h/?token={TOKEN}"])
@pytest.mark.parametrize("key", TEXTS)
def test_a_token_is_taken_and_shown_nowhere(key: str, token: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_config({key: token})
    assert caught.value.field == key
    assert token not in str(caught.value)
    assert "Store the token" in caught.value.advice


@pytest.mark.parametrize(
    "document",
    [
        {"token": "me:hunter2"},
        {"token": ["hunter2"]},
        {"endpoint_url": "https://me:hunter2@h"},
        {"endpoint_url": "https://h/?token=hunter2"},
        {"registry_credentials": "me:hunter2"},
        {"registry_credentials": {"docker.io": "me:hunter2"}},
        {"registry_credentials": {"docker.io": ["hunter2"]}},
        {"secrets": {"db": "hunter2"}},
        {"secrets": "hunter2"},
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(document: dict[str, object]) -> None:
    with pytest.raises(InvalidField) as caught:
        read_config(document)
    assert "hunter2" not in str(caught.value)


KEYS = tuple(Config.__slots__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NEARLY = st.sampled_from(
    [
        *SLUGS,
        "fra",
        PROJECT,
        "dedicated",
        "resolve",
        "https://h",
        "https://h:1:2",
        "env:A",
        15,
        1e400,
    ]
)
TABLES = st.dictionaries(st.sampled_from(["ghcr.io", "docker.io", "db"]), JSON | NEARLY, max_size=3)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), JSON | NEARLY | TABLES, max_size=4))
def test_whatever_it_says_it_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        config = read_config(document)
    except InvalidField:
        return
    assert set(document) <= set(KEYS)
    assert config == read_config(document)
