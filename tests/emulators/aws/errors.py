"""What is answered when a call is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An error answer of a service.

    Attributes:
        code: The service's name for it.
        status: Of HTTP.
        members: Further members of the error's shape.
        violation: The request breaks a documented rule, so a test should hear of it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        members: Mapping[str, Any] | None = None,
        violation: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.members = dict(members or {})
        self.violation = violation


def break_rule(code: str, message: str) -> NoReturn:
    """Refuse a request that no program should send.

    Raises:
        ApiError: Always; it is remembered.
    """
    raise ApiError(code, message, violation=True)


#: What a service answers to a request that does not fit its model.
VALIDATION_CODES = {
    "ecs": "ClientException",
    "logs": "InvalidParameterException",
    "secretsmanager": "ValidationException",
    "ssm": "ValidationException",
    "sts": "ValidationError",
    "iam": "ValidationError",
    "ec2": "InvalidParameterValue",
}
