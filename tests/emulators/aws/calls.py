"""One HTTP request as a call: which service, which operation, which region, who, with what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.model import OperationNotFoundError
from tests.emulators.aws.errors import VALIDATION_CODES, ApiError
from tests.emulators.aws.models import TARGETS, VERSIONS, operation_model
from tests.emulators.aws.query_wire import (
    read_form,
    read_parameters,
    write_answer,
    write_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel

_CREDENTIAL: Final = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
JSON: Final = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Call:
    """What a request means.

    Attributes:
        service: The service's id.
        operation: The operation's name.
        model: The operation's model.
        region: From the signature.
        access_key: From the signature.
        body: As it came.
        form: The parameters of a query, None for JSON.
    """

    service: str
    operation: str
    model: OperationModel
    region: str
    access_key: str
    body: bytes
    form: dict[str, str] | None

    @property
    def name(self) -> str:
        """As ``ecs.RunTask``."""
        return f"{self.service}.{self.operation}"

    def parameters(self) -> dict[str, Any]:
        """The members.

        Raises:
            ApiError: The body cannot be read.
        """
        if self.form is not None:
            return read_parameters(self.model, self.form)
        try:
            read = json.loads(self.body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", str(error), violation=True) from None
        if not isinstance(read, dict):
            raise ApiError("SerializationException", "not an object", violation=True)
        return read

    def answer(self, members: dict[str, Any], request_id: str) -> tuple[bytes, str]:
        """Body and content type."""
        if self.form is None:
            return json.dumps(members, separators=(",", ":")).encode(), JSON
        return write_answer(self.model, members, request_id), "text/xml"

    def error(self, error: ApiError, request_id: str) -> tuple[bytes, str]:
        """Body and content type."""
        if self.form is None:
            body = {"__type": error.code, "message": str(error), **error.members}
            return json.dumps(body, separators=(",", ":")).encode(), JSON
        return write_error(self.service, error, request_id), "text/xml"

    def misfit(self, found: list[str]) -> ApiError:
        """The refusal of a request that does not fit the model."""
        count = len(found)
        message = f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(found)}"
        return ApiError(VALIDATION_CODES[self.service], message)


def read_call(headers: Mapping[str, str], body: bytes) -> Call:
    """The call that a request is.

    Raises:
        ApiError: It is none.
    """
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    if found is None:
        raise ApiError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
    access_key, region, _ = found.groups()
    target = headers.get("X-Amz-Target", "")
    form: dict[str, str] | None = None
    if target:
        prefix, _, operation = target.rpartition(".")
        service = TARGETS.get(prefix)
    else:
        form = read_form(body)
        service, operation = VERSIONS.get(form.get("Version", "")), form.get("Action", "")
    if service is None:
        raise ApiError("UnknownOperationException", f"{target or operation}: no such service here")
    try:
        model = operation_model(service, operation)
    except OperationNotFoundError:
        raise ApiError("UnknownOperationException", f"{service} has no {operation}") from None
    return Call(service, operation, model, region, access_key, body, form)
