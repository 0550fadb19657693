"""Names, environment and bodies of requests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.providers.digitalocean.samples import CLONE, DIGEST, IMAGE, KEY, job, submission

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import Resources, Submission
from dayfly.providers.digitalocean.component import (
    Values,
    app_body,
    check,
    check_credentials,
    component,
    references,
)
from dayfly.providers.digitalocean.config import Config
from dayfly.providers.digitalocean.images import parse_image
from dayfly.providers.digitalocean.own import (
    own_component,
    own_components,
    own_name,
    sentinel_in,
    sentinel_of,
)
from dayfly.providers.digitalocean.variables import (
    check_values,
    check_variables,
    key_of,
    labels_of,
    mark,
)
from dayfly.sdk.redaction import redact

PROJECT = "88b72d1a-b78a-4d9f-9090-b53c4399073f"
#: Source: DigitalOcean's OpenAPI definition, app_spec.name and app_component_base.name.
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")


def made(
    config: Config | None = None, *, values: dict[str, str] | None = None, **fields: Any
) -> Any:
    image = parse_image(fields.get("image", IMAGE))
    return component(submission(**fields), config or Config(), image, Values(secrets=values or {}))


def envs(body: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    rows = {row["key"]: (row["value"], row["type"], row["scope"]) for row in body["envs"]}
    assert len(rows) == len(body["envs"])
    return rows


@pytest.mark.parametrize("key", ["k", "K" * 128, "a/b$c%d", "ü"])
def test_a_name_is_one_that_app_platform_takes(key: str) -> None:
    assert NAME.fullmatch(own_name(key))
    assert own_name(key) != own_name(key + "x")


def test_the_whole_app() -> None:
    config = Config(region="fra", project_id=PROJECT)
    given = submission(grace_period_seconds=30, resources=Resources(cpus=2))
    body = app_body(given, config, parse_image(IMAGE), Values(secrets={}))
    envs = body["spec"]["jobs"][0].pop("envs")
    assert body == {
        "project_id": PROJECT,
        "spec": {
            "name": own_name(KEY),
            "region": "fra",
            "jobs": [
                {
                    "name": "job",
                    "kind": "PRE_DEPLOY",
                    "image": {
                        "registry_type": "GHCR",
                        "registry": "owner",
                        "repository": "tool",
                        "digest": DIGEST,
                    },
                    "instance_count": 1,
                    "instance_size_slug": "apps-s-2vcpu-4gb",
                    "run_command": "echo hello",
                    "termination": {"grace_period_seconds": 30},
                }
            ],
        },
    }
    assert [row["key"] for row in envs] == ["DAYFLY_KEY", "DAYFLY_INTENT", "DAYFLY_NAME"]


def test_what_is_not_asked_for_is_left_out() -> None:
    body = app_body(submission(command=()), Config(), parse_image(IMAGE), Values(secrets={}))
    assert set(body) == {"spec"}
    assert set(body["spec"]) == {"name", "jobs"}
    assert not {"run_command", "termination"} & set(body["spec"]["jobs"][0])


def test_each_variable_has_its_type_and_is_of_the_running_job_alone() -> None:
    secrets = {"PASSWORD": "env:PASSWORD", "URL": "${db.DATABASE_URL}"}
    fields = {"env": {"PLAIN": "1", "EMPTY": ""}, "secrets": secrets, "target": CLONE}
    rows = envs(made(values={"PASSWORD": "canary"}, **fields))
    assert {scope for _, _, scope in rows.values()} == {"RUN_TIME"}
    assert rows["PLAIN"][:2] == ("1", "GENERAL")
    assert rows["EMPTY"][:2] == ("", "GENERAL")
    assert rows["PASSWORD"][:2] == ("canary", "SECRET")
    # What is bound is a reference still, which App Platform itself resolves.
    assert rows["URL"][:2] == ("${db.DATABASE_URL}", "GENERAL")


def test_a_job_is_known_by_its_environment() -> None:
    labels = {"team": "data", "a/b": "x y"}
    body = made(name="migrate", labels=labels)
    assert key_of(body) == KEY
    assert mark(body, "DAYFLY_INTENT") == intent_digest(job(name="migrate", labels=labels))
    assert mark(body, "DAYFLY_NAME") == "migrate"
    assert labels_of(body) == labels
    assert labels_of(made()) == {}
    assert labels_of({"envs": [{"key": "DAYFLY_LABELS", "value": "no json"}]}) == {}
    assert labels_of({"envs": [{"key": "DAYFLY_LABELS", "value": "[1]"}]}) == {}


@pytest.mark.parametrize("key", ["plain", "a$b", "a%24b", "${x}", "100%", "%%25$"])
def test_any_key_comes_back(key: str) -> None:
    given = Submission(spec=job(), key=key)
    body = component(given, Config(), parse_image(IMAGE), Values(secrets={}))
    assert "$" not in mark(body, "DAYFLY_KEY")
    assert key_of(body) == key


def test_credentials_of_the_registry_go_along() -> None:
    config = Config(registry_credentials={"ghcr.io": "env:GHCR", "docker.io": "env:HUB"})
    image = parse_image(IMAGE)
    values = references(job(), image, config)
    assert values.registry == "env:GHCR"
    body = component(submission(), config, image, values)
    assert body["image"]["registry_credentials"] == "env:GHCR"
    assert references(job(), parse_image("busybox"), config).registry == "env:HUB"
    other = parse_image("registry.digitalocean.com/mine/tool")
    assert references(job(), other, config).registry == ""
    assert "registry_credentials" not in made()["image"]


@pytest.mark.parametrize("value", ["canary-alone", ":canary-alone", "canary-alone:", ":"])
def test_credentials_of_another_form(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_credentials(value)
    assert caught.value.field == "registry_credentials"
    assert "canary" not in str(caught.value)


def test_the_password_alone_is_hidden_too() -> None:
    check_credentials("someone:pass:word-of-theirs")
    assert redact("it was pass:word-of-theirs") == "it was [hidden]"


def test_the_exit_code_is_reported_where_the_configuration_says_so() -> None:
    on = Config(self_reported_exit=True)
    assert sentinel_in(made(on)) == sentinel_of(KEY)
    assert sentinel_in(made()) == ""
    # Another key's line is none.
    assert sentinel_in(made(command=("echo", sentinel_of("other")))) == ""
    with pytest.raises(InvalidField) as caught:
        check(job(command=()), on)
    assert caught.value.field == "command"


def test_whose_an_app_is() -> None:
    body = app_body(submission(), Config(), parse_image(IMAGE), Values(secrets={}))
    [own] = body["spec"]["jobs"]
    assert own_component(body) == own
    assert own_components(body) == []
    # The same job under a name of somebody else's is not dayfly's app.
    renamed = {"spec": body["spec"] | {"name": "shop"}}
    assert own_component(renamed) is None
    # One that was added to an app has the key's name, and is no app of its own.
    added = own | {"name": own_name(KEY)}
    other = {"spec": {"name": "shop", "jobs": [{"name": "migrate"}, added]}}
    assert own_components(other) == [added]
    assert own_component(other) is None
    assert own_component({"spec": {"name": "static"}}) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"env": {"A-B": "1"}}, "env.A-B"),
        ({"env": {"1A": "1"}}, "env.1A"),
        ({"env": {"é": "1"}}, "env.é"),
        ({"env": {"DAYFLY_KEY": "1"}}, "env.DAYFLY_KEY"),
        ({"env": {"A": "x${db.URL}"}}, "env.A"),
        ({"env": {"A": "${"}}, "env.A"),
        ({"secrets": {"A.B": "env:A"}}, "secrets.A.B"),
        ({"secrets": {"DAYFLY_NAME": "env:A"}}, "secrets.DAYFLY_NAME"),
        ({"secrets": {"A": "${db.URL}"}}, "secrets.A"),
        ({"labels": {"a": "${x}"}}, "labels.a"),
        ({"grace_period_seconds": 0}, "grace_period_seconds"),
        ({"grace_period_seconds": 601}, "grace_period_seconds"),
        ({"image": "quay.io/a/b"}, "image"),
        ({"resources": Resources(cpus=9)}, "resources.cpus"),
        ({"command": ("a", "&&", "b")}, "command[1]"),
    ],
)
def test_what_can_never_work_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check(job(**fields), Config())
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        ("${db.DATABASE_URL}", True),
        ("${DATABASE_URL}", True),
        ("${APP_ID}", True),
        ("${db.DATABASE_URL}x", False),
        ("${Db.URL}", False),
        ("${}", False),
        ("env:A", False),
    ],
)
def test_what_is_bound(value: str, bound: bool) -> None:
    spec = job(secrets={"A": value}, target=CLONE)
    check_variables(spec)
    assert (references(spec, parse_image(IMAGE), Config()).secrets == {}) is bound


def test_a_secret_s_value_that_would_be_replaced_is_refused_and_not_shown() -> None:
    check_values({"A": "$canary", "B": "{canary}"})
    with pytest.raises(InvalidField) as caught:
        check_values({"A": "fine", "B": "canary${x}"})
    assert caught.value.field == "secrets.B"
    assert "canary" not in str(caught.value)
