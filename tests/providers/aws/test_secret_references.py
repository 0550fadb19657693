"""Secret references: their forms, portable names, and a value where a reference belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import Reason
from dayfly.providers.aws.secrets import check_reference, is_parameter, secret_arn, value_from

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/database-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/prod/token"
NAMES = {
    "db": SECRET,
    "old": f"{SECRET}::AWSPREVIOUS:",
    "numbered": f"{SECRET}:::9d4cb84b-ad69",
    "taken": f"{SECRET}:user::",
    "ssm": PARAMETER,
}


@pytest.mark.parametrize(
    "reference",
    [
        SECRET,
        f"{SECRET}:password::",
        f"{SECRET}::AWSPREVIOUS:",
        f"{SECRET}:password::9d4cb84b-ad69-40c0-a0ab-cead3EXAMPLE",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a",
        PARAMETER,
        "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/a.b-c_d",
    ],
)
def test_a_reference_goes_to_ecs_as_it_is(reference: str) -> None:
    check_reference(reference, "secrets.X")
    assert value_from({"X": reference}, {}) == {"X": reference}


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "hunter2",
        "prod/database",
        "env:DATABASE_URL",
        "arn:aws:s3:::bucket/hunter2",
        "arn:aws:secretsmanager:eu-west-1:12:secret:hunter2",
        f"{SECRET}:hunter2",
        f"{SECRET}:hunter2:",
        f"{SECRET}:a:b:c:hunter2",
        f"{SECRET}:a:AWSCURRENT:hunter2",
        f"{SECRET}\nhunter2",
        f"{SECRET}:hunter2\n::",
        "arn:aws:secretsmanager:eu-west-1:\u0661\u0662\u0663456789012:secret:hunter2",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hunter2\u00e9",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/a:hunter2",
    ],
)
def test_what_is_no_reference_is_refused_and_not_shown(reference: str) -> None:
    with pytest.raises(InvalidField) as caught:
        value_from({"PASSWORD": reference}, NAMES)
    assert caught.value.field == "secrets.PASSWORD"
    assert "hunter2" not in str(caught.value)
    assert "secret://NAME" in caught.value.message


@given(st.text())
def test_no_value_is_ever_shown(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        value_from({"PASSWORD": f"hunter2{value}"}, NAMES)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "sent"),
    [
        ("secret://db", SECRET),
        ("secret://db#password", f"{SECRET}:password::"),
        ("secret://old", f"{SECRET}::AWSPREVIOUS:"),
        ("secret://old#password", f"{SECRET}:password:AWSPREVIOUS:"),
        ("secret://numbered#password", f"{SECRET}:password::9d4cb84b-ad69"),
        ("secret://taken", f"{SECRET}:user::"),
        ("secret://ssm", PARAMETER),
    ],
)
def test_a_portable_name_is_what_the_configuration_says(reference: str, sent: str) -> None:
    assert value_from({"A": reference}, NAMES) == {"A": sent}


@pytest.mark.parametrize(
    "reference",
    [
        "secret://ssm#key",
        "secret://taken#password",
        "secret://db#a:b",
        "secret://db#",
        "secret://db#a\nb",
    ],
)
def test_a_key_that_cannot_be_had_is_refused(reference: str) -> None:
    with pytest.raises(InvalidField) as caught:
        value_from({"A": reference}, NAMES)
    assert caught.value.field == "secrets.A"


@pytest.mark.parametrize("reference", ["secret://nobody", "secret://nobody#key", "secret://"])
def test_a_name_that_is_not_configured_is_not_found(reference: str) -> None:
    with pytest.raises(NotFound) as caught:
        value_from({"A": reference}, NAMES)
    assert caught.value.field == "secrets.A"
    assert caught.value.reason is Reason.SECRET_UNAVAILABLE
    assert "providers" in caught.value.advice


def test_a_parameter_and_a_secret_are_told_apart() -> None:
    assert is_parameter(PARAMETER)
    assert not is_parameter(SECRET)
    assert secret_arn(f"{SECRET}:password::") == SECRET
    assert secret_arn(PARAMETER) == PARAMETER
