"""What ``[providers.NAME]`` may say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.config import Config, Prices, read_config

ROLE = "arn:aws:iam::123456789012:role/service-role/jobs"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"


def test_the_defaults() -> None:
    assert read_config({}) == Config()


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [
        ("runner", "batch", "batch"),
        ("region", "eu-west-1", "eu-west-1"),
        ("region", "us-gov-west-1", "us-gov-west-1"),
        ("region", "ap-southeast-5", "ap-southeast-5"),
        ("region", "eusc-de-east-1", "eusc-de-east-1"),
        ("profile", "my company", "my company"),
        ("role_arn", ROLE, ROLE),
        ("endpoint_url", "http://localhost:4566", "http://localhost:4566"),
        ("endpoint_url", "https://[::1]:4566/aws", "https://[::1]:4566/aws"),
        ("cluster", "jobs", "jobs"),
        (
            "cluster",
            "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/jobs",
            "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/jobs",
        ),
        ("queue", "spot", "spot"),
        (
            "queue",
            "arn:aws:batch:eu-west-1:123456789012:job-queue/spot",
            "arn:aws:batch:eu-west-1:123456789012:job-queue/spot",
        ),
        ("subnets", ["subnet-0a1b", "subnet-2c3d"], ("subnet-0a1b", "subnet-2c3d")),
        ("security_groups", ["sg-0a1b"], ("sg-0a1b",)),
        ("assign_public_ip", True, True),
        ("launch_type", "FARGATE_SPOT", "FARGATE_SPOT"),
        ("architecture", "ARM64", "ARM64"),
        ("execution_role", ROLE, ROLE),
        ("task_role", ROLE, ROLE),
        ("container", "app", "app"),
        ("log_group", "/my/group.#1", "/my/group.#1"),
        ("log_retention_days", 7, 7),
        ("log_retention_days", 7.0, 7),
        ("log_drain_seconds", 0, 0),
        ("log_settle_seconds", 0.5, 0.5),
        ("prices", {"vcpu_hour": 0.04, "gib_hour": 1}, Prices(vcpu_hour=0.04, gib_hour=1)),
        (
            "prices",
            {"vcpu_hour": 1, "gib_hour": 1, "currency": "EUR"},
            Prices(vcpu_hour=1, gib_hour=1, currency="EUR"),
        ),
        ("secrets", {"db": SECRET}, {"db": SECRET}),
    ],
)
def test_a_setting_is_read(key: str, given: object, read: object) -> None:
    config = read_config({key: given})
    assert getattr(config, key) == read
    assert type(getattr(config, key)) is type(read)
    # Nothing else changed with it.
    assert config == Config(**{key: read})


PRICES = {"vcpu_hour": 1, "gib_hour": 1}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"regoin": "eu-west-1"}, "regoin"),
        ({"runner": "lambda"}, "runner"),
        ({"runner": ["ecs"]}, "runner"),
        ({"region": "Ireland"}, "region"),
        ({"region": "eu-west-"}, "region"),
        ({"region": "eu-west-\u0661"}, "region"),
        ({"region": 1}, "region"),
        ({"profile": "a\nb"}, "profile"),
        ({"profile": 1}, "profile"),
        ({"role_arn": "jobs"}, "role_arn"),
        ({"role_arn": f"{ROLE}\u00e9"}, "role_arn"),
        ({"role_arn": None}, "role_arn"),
        ({"endpoint_url": "localhost:4566"}, "endpoint_url"),
        ({"endpoint_url": "http://"}, "endpoint_url"),
        ({"endpoint_url": "http://:80"}, "endpoint_url"),
        ({"endpoint_url": "http://h:port"}, "endpoint_url"),
        ({"endpoint_url": "http://h:99999"}, "endpoint_url"),
        ({"endpoint_url": "http://a b"}, "endpoint_url"),
        ({"endpoint_url": "http://[::1"}, "endpoint_url"),
        ({"endpoint_url": "http://under_score!"}, "endpoint_url"),
        ({"endpoint_url": 4566}, "endpoint_url"),
        ({"endpoint_url": "http://me:hunter2@localhost"}, "endpoint_url"),
        ({"assign_public_ip": True, "launch_type": "EC2"}, "assign_public_ip"),
        ({"security_groups": ["sg-1"], "launch_type": "EC2"}, "security_groups"),
        (
            {"architecture": "ARM64", "launch_type": "EC2", "runner": "batch"},
            "architecture",
        ),
        ({"cluster": "a b"}, "cluster"),
        ({"cluster": "a" * 256}, "cluster"),
        ({"cluster": "arn:aws:ecs:eu-west-1:1:cluster/jobs"}, "cluster"),
        ({"cluster": []}, "cluster"),
        ({"queue": "a" * 129}, "queue"),
        ({"queue": {}}, "queue"),
        ({"subnets": "subnet-1"}, "subnets"),
        ({"subnets": ["subnet-1", ""]}, "subnets"),
        ({"subnets": ["subnet-1", "vpc-1"]}, "subnets[1]"),
        ({"security_groups": ["default"]}, "security_groups[0]"),
        ({"security_groups": [1]}, "security_groups"),
        ({"assign_public_ip": "yes"}, "assign_public_ip"),
        ({"assign_public_ip": 1}, "assign_public_ip"),
        ({"launch_type": "EXTERNAL"}, "launch_type"),
        ({"launch_type": "fargate"}, "launch_type"),
        ({"architecture": "amd64"}, "architecture"),
        ({"execution_role": "ecsTaskExecutionRole"}, "execution_role"),
        ({"execution_role": True}, "execution_role"),
        ({"task_role": "arn:aws:iam::12:role/a"}, "task_role"),
        ({"task_role": 1.5}, "task_role"),
        ({"container": "a b"}, "container"),
        ({"container": 1}, "container"),
        ({"log_group": "a b"}, "log_group"),
        ({"log_group": "a" * 513}, "log_group"),
        ({"log_group": 1}, "log_group"),
        ({"log_retention_days": 4}, "log_retention_days"),
        ({"log_retention_days": "30"}, "log_retention_days"),
        ({"log_retention_days": True}, "log_retention_days"),
        ({"log_retention_days": [30]}, "log_retention_days"),
        ({"log_drain_seconds": -1}, "log_drain_seconds"),
        ({"log_drain_seconds": 601}, "log_drain_seconds"),
        ({"log_drain_seconds": float("nan")}, "log_drain_seconds"),
        ({"log_drain_seconds": "10"}, "log_drain_seconds"),
        ({"log_settle_seconds": 61}, "log_settle_seconds"),
        ({"log_settle_seconds": False}, "log_settle_seconds"),
        ({"prices": 1}, "prices"),
        ({"prices": PRICES, "launch_type": "EC2"}, "prices"),
        ({"prices": {"vcpu_hour": 1}}, "prices.gib_hour"),
        ({"prices": {"gib_hour": 1}}, "prices.vcpu_hour"),
        ({"prices": PRICES | {"vcpu_hour": "1"}}, "prices.vcpu_hour"),
        ({"prices": PRICES | {"gib_hour": -1}}, "prices.gib_hour"),
        ({"prices": PRICES | {"currency": 1}}, "prices.currency"),
        ({"prices": PRICES | {"hour": 1}}, "prices.hour"),
        ({"secrets": "x"}, "secrets"),
        ({"secrets": {"db": 1}}, "secrets.db"),
        ({"secrets": {"db": "hunter2"}}, "secrets.db"),
        ({"secrets": {"db#key": SECRET}}, "secrets.db#key"),
        ({"secrets": {"": SECRET}}, "secrets."),
    ],
)
def test_a_bad_setting_is_named(document: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_config(document)
    assert caught.value.field == field
    assert field in caught.value.message


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    with pytest.raises(InvalidField) as caught:
        read_config({"secrets": {"db": "hunter2"}})
    assert "hunter2" not in str(caught.value)


KEYS = tuple(Config.__slots__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NEARLY = st.sampled_from(
    ["ecs", "eu-west-1", ROLE, SECRET, "http://h", "http://h:1:2", "subnet-1", 30, 30.0, 1e400]
)
VALUES = JSON | NEARLY | st.lists(NEARLY, max_size=3)
TABLES = st.dictionaries(
    st.sampled_from(["vcpu_hour", "gib_hour", "currency", "db", "x#y"]), VALUES, max_size=3
)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES | TABLES, max_size=4))
def test_whatever_it_says_it_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        config = read_config(document)
    except InvalidField:
        return
    assert set(document) <= set(KEYS)
    assert config == read_config(document)
