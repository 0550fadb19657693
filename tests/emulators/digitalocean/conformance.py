"""Holds requests and answers against the definition: what it demands, and what it knows.

The definition lets unknown members and parameters pass, so these are looked for here.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean.definition import document, operations, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openapi_core import OpenAPI

_API: Final = "https://api.digitalocean.com"
#: Of a long list only so many rows are checked, from its beginning: they are all alike.
_ROWS: Final = 3


@dataclass(slots=True)
class _Request:
    """A request, as openapi-core asks for it."""

    method: str
    path: str
    parameters: Any
    body: bytes | None
    content_type: str = "application/json"
    host_url: str = _API
    path_pattern: str | None = None


@dataclass(slots=True)
class _Response:
    status_code: int
    data: bytes
    content_type: str = "application/json"
    headers: Any = ()


class Exchange:
    """One request and its answer; both give what does not fit, in words."""

    def __init__(
        self,
        operation: str,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: bytes,
    ) -> None:
        self.operation = operation
        self._query = query
        # Built when it is first needed: nothing of openapi-core is, where nothing is checked.
        self._request = _Request(method.lower(), path, None, body or None)

    def request(self) -> list[str]:
        """What does not fit in the request."""
        if self.operation not in operations():
            return [f"{self.operation}: request: no such path in the definition"]
        found = [*self._failures("validate_request", self._request)]
        known = {
            str(one["name"])
            for one in map(resolve, operations()[self.operation].get("parameters", ()))
            if one["in"] == "query"
        }
        found += [f"?{name}: unknown parameter" for name, _ in self._query if name not in known]
        schema = _body_schema(operations()[self.operation])
        if self._request.body and schema:
            found += _unknown(schema, json.loads(self._request.body), "")
        return [f"{self.operation}: request: {one}" for one in found]

    def response(self, status: int, answer: dict[str, Any]) -> list[str]:
        """What does not fit in the answer."""
        if self.operation not in operations():
            return []
        short = {
            name: value[:_ROWS] if isinstance(value, list) else value
            for name, value in answer.items()
        }
        response = _Response(status, json.dumps(short).encode(), headers={})
        found = [*self._failures("validate_response", self._request, response)]
        schema = _answer_schema(operations()[self.operation], status)
        if schema:
            found += _unknown(schema, short, "")
        return [f"{self.operation}: answer {status}: {one}" for one in found]

    def _failures(self, check: str, *given: Any) -> Iterator[str]:
        from openapi_core.datatypes import RequestParameters
        from openapi_core.exceptions import OpenAPIError
        from werkzeug.datastructures import ImmutableMultiDict

        self._request.parameters = RequestParameters(
            query=ImmutableMultiDict(self._query),
            header={"Authorization": "Bearer token"},
            cookie={},
        )
        try:
            getattr(_api(), check)(*given)
        except OpenAPIError as error:
            cause = error.__cause__
            for one in getattr(cause, "schema_errors", ()) or ():
                where = ".".join(str(part) for part in one.absolute_path)
                yield f"{where}: {one.message}"
            if not getattr(cause, "schema_errors", ()):
                yield f"{error}: {cause}"


def warm() -> None:
    """Read the definition now, instead of with the first request."""
    _api()


@functools.cache
def _api() -> OpenAPI:
    from openapi_core import Config, OpenAPI

    # Checking the definition itself takes seconds, and it is not ours.
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    return OpenAPI.from_dict(document(), config=config)


def _body_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = resolve(operation.get("requestBody", {})).get("content", {})
    found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return found


def _answer_schema(operation: dict[str, Any], status: int) -> dict[str, Any] | None:
    responses = operation["responses"]
    response = resolve(responses.get(str(status)) or responses.get("default", {}))
    found: dict[str, Any] | None = (
        response.get("content", {}).get("application/json", {}).get("schema")
    )
    return found


def _unknown(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    """Members that the definition does not know, as ``spec.jobs.0.timeout``."""
    if isinstance(value, list):
        items = _items(schema)
        pairs = enumerate(value) if items else ()
        return [bad for at, one in pairs for bad in _unknown(items, one, f"{where}{at}.")]
    known = _members(schema)
    if not isinstance(value, dict) or known is None:
        return []
    found = []
    for name, one in value.items():
        if name not in known:
            found.append(f"{where}{name}: unknown member")
        else:
            found += _unknown(known[name], one, f"{where}{name}.")
    return found


def _items(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resolve(schema).get("items", {})
    return found


def _members(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Members of an object with all that it is composed of; None where any may be."""
    schema = resolve(schema)
    if schema.get("additionalProperties"):
        return None
    found = dict(schema.get("properties", {}))
    for kind in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(kind, ()):
            found |= _members(part) or {}
    return found or None
