"""Remote runners in dayfly.toml: kept for whoever reaches them, and in the schema."""

from __future__ import annotations

import tomllib

import pytest
from jsonschema import Draft202012Validator

from dayfly.contract.errors import InvalidField
from dayfly.host import config_schema
from dayfly.host.config import parse_config
from dayfly.sandbox import remote_runners

AGENT = """
[runners.remote]
address = "agent.example.com:50051"
token = "env:AGENT_TOKEN"
ca = "/etc/dayfly/ca.pem"
"""


def test_a_runner_is_in_the_configuration_and_the_schema():
    document = tomllib.loads(AGENT)
    runner = remote_runners(parse_config(document).runners)["remote"]
    assert (runner.address, runner.token) == ("agent.example.com:50051", "env:AGENT_TOKEN")
    assert Draft202012Validator(config_schema()).is_valid(document)


@pytest.mark.parametrize("text", ["runners = 1", "[runners]\nremote = 1"])
def test_what_is_no_table_is_refused(text):
    document = tomllib.loads(text)
    with pytest.raises(InvalidField, match="runners"):
        parse_config(document)
    assert not Draft202012Validator(config_schema()).is_valid(document)


@pytest.mark.parametrize(
    "text",
    [
        "[runners.remote]\ntoken = 'env:A'",
        "[runners.remote]\naddress = 'h:1'",
        "[runners.remote]\naddress = 'h:1'\ntoken = 'pasted'",
        "[runners.remote]\naddress = 'h:1'\ntoken = 'env:A'\nallow_insecure = true",
    ],
)
def test_the_schema_agrees_with_the_checks(text):
    document = tomllib.loads(text)
    assert not Draft202012Validator(config_schema()).is_valid(document)
    with pytest.raises(InvalidField):
        remote_runners(parse_config(document).runners)
