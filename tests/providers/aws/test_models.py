"""Requests that AWS would refuse, by its own models, before they are sent."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.models import check_params

CONTAINER = {"name": "job", "image": "busybox"}


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("ecs.RunTask", {"taskDefinition": "a", "launchType": "FARGATE", "count": 1}),
        (
            "ecs.RunTask",
            {"taskDefinition": "a", "overrides": {"containerOverrides": [{"name": "job"}]}},
        ),
        (
            "ecs.RegisterTaskDefinition",
            {"family": "a", "containerDefinitions": [CONTAINER], "networkMode": "awsvpc"},
        ),
        ("ecs.RegisterTaskDefinition", {"family": "a", "containerDefinitions": (CONTAINER,)}),
        ("logs.GetLogEvents", {"logStreamName": "a/b", "logGroupName": "/a", "startTime": 2**40}),
        ("batch.SubmitJob", {"jobName": "a", "jobQueue": "b", "jobDefinition": "c"}),
        (
            "batch.SubmitJob",
            {
                "jobName": "a",
                "jobQueue": "b",
                "jobDefinition": "c",
                "tags": {"dayfly:key": "x"},
                "containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "1"}]},
            },
        ),
        ("sts.GetCallerIdentity", {}),
        ("cloudwatch.GetMetricData",
         {"MetricDataQueries": [], "StartTime": datetime.now(UTC), "EndTime": 1.5}),
        ("lambda.Invoke", {"FunctionName": "f", "Payload": b"{}"}),
    ],
)  # fmt: skip
def test_what_aws_would_take(operation: str, params: dict[str, Any]) -> None:
    check_params(*operation.split("."), params)


@pytest.mark.parametrize(
    ("operation", "params", "field", "said"),
    [
        # What botocore's own validator sees.
        ("ecs.RunTask", {}, "taskDefinition", "is missing"),
        ("ecs.RunTask", {"taskDefinition": "a", "colour": 1}, "colour", "is no member"),
        ("ecs.RunTask", {"taskDefinition": 1}, "taskDefinition", "of type int; allowed: string"),
        ("ecs.RunTask", {"taskDefinition": None}, "taskDefinition", "of type NoneType"),
        ("ecs.RunTask", {"taskDefinition": "a", "count": "1"}, "count", "allowed: integer"),
        ("ecs.RunTask", {"taskDefinition": "a", "count": True}, "count", "of type bool"),
        ("ecs.RunTask", {"taskDefinition": "a", "tags": {}}, "tags", "allowed: list"),
        ("ecs.RunTask", {"taskDefinition": "a", "overrides": []}, "overrides", "structure"),
        ("ecs.RunTask", {"taskDefinition": "a", "enableExecuteCommand": 1}, "enableExecuteCommand",
         "allowed: boolean"),
        ("batch.SubmitJob",
         {"jobName": "a", "jobQueue": "b", "jobDefinition": "c", "tags": {"a": 1}}, "tags.a",
         "allowed: string"),
        ("sts.AssumeRole", {"RoleArn": "short", "RoleSessionName": "x"}, "RoleArn", "20 or more"),
        # What it does not.
        ("ecs.RunTask", {"taskDefinition": "a", "launchType": "FARGAT"}, "launchType",
         "is 'FARGAT'; allowed: EC2, FARGATE"),
        ("ecs.RunTask", {"taskDefinition": "a", "tags": [{}, {"key": "k" * 129}]}, "tags[1].key",
         "length of 129; allowed: 128 or less"),
        ("ecs.RegisterTaskDefinition",
         {"family": "a", "containerDefinitions":
          [CONTAINER | {"logConfiguration": {"logDriver": "aws"}}]},
         "containerDefinitions[0].logConfiguration.logDriver", "awslogs"),
        ("ecs.RegisterTaskDefinition",
         {"family": "a", "containerDefinitions": [CONTAINER | {"secrets": [{"name": "X"}]}]},
         "containerDefinitions[0].secrets[0].valueFrom", "is missing"),
        ("logs.GetLogEvents", {"logStreamName": "a:b"}, "logStreamName", "does not match"),
        ("logs.GetLogEvents", {"logStreamName": "a", "limit": 10_001}, "limit",
         "is 10001; allowed: 10000 or less"),
        ("logs.GetLogEvents", {"logStreamName": "a", "startTime": -1}, "startTime",
         "is -1; allowed: 0 or more"),
        ("logs.FilterLogEvents",
         {"logGroupName": "a", "logStreamNames": ["s"] * 101}, "logStreamNames",
         "length of 101; allowed: 100 or less"),
        ("logs.CreateLogGroup", {"logGroupName": "a", "tags": {"k" * 129: "v"}},
         f"tags.{'k' * 129}", "length of 129"),
    ],
)  # fmt: skip
def test_what_aws_would_refuse(
    operation: str, params: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        check_params(*operation.split("."), params)
    assert caught.value.field == field
    assert f"{operation.replace('.', ':')} would be refused: {field} " in caught.value.message
    assert said in caught.value.message


def test_the_message_names_all_that_is_wrong() -> None:
    with pytest.raises(InvalidField) as caught:
        check_params("ecs", "RunTask", {"launchType": "X", "count": "1"})
    assert caught.value.field == "taskDefinition"
    assert "taskDefinition is missing; launchType is 'X'; " in caught.value.message
    assert caught.value.message.endswith("; count is of type str; allowed: integer")


def test_a_wrong_value_is_shown_only_where_there_is_a_list_of_right_ones() -> None:
    definition = {"family": "a", "containerDefinitions": [{"environment": ["PASSWORD=hunter2"]}]}
    with pytest.raises(InvalidField) as caught:
        check_params("ecs", "RegisterTaskDefinition", definition)
    assert "hunter2" not in caught.value.message


def test_a_model_is_read_once() -> None:
    check_params("ecs", "RunTask", {"taskDefinition": "a"})
    began = time.perf_counter()
    for _ in range(20):
        check_params("ecs", "RunTask", {"taskDefinition": "a"})
    # Reading it takes 20 ms and more each time.
    assert time.perf_counter() - began < 0.2
