"""The query protocol of STS and IAM, and EC2's: forms in, XML out, both by the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape
    from tests.emulators.aws.errors import ApiError

_NUMBERS: Final = {"integer": int, "long": int, "float": float, "double": float}


def read_form(body: bytes) -> dict[str, str]:
    """The parameters as they came."""
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def read_parameters(operation: OperationModel, form: dict[str, str]) -> dict[str, Any]:
    """The parameters as members. What no member took is kept under its own name."""
    left = {name: value for name, value in form.items() if name not in {"Action", "Version"}}
    shape = operation.input_shape
    members: dict[str, Any] = {}
    if shape is not None:
        ec2 = operation.service_model.protocol == "ec2"
        for name, member in shape.members.items():
            value = _read(member, _parameter(name, member, ec2=ec2), left, ec2=ec2)
            if value is not None:
                members[name] = value
    return {**members, **left}


def _parameter(name: str, shape: Shape, *, ec2: bool) -> str:
    if not ec2:
        return str(shape.serialization.get("name", name))
    if "queryName" in shape.serialization:
        return str(shape.serialization["queryName"])
    name = str(shape.serialization.get("name", name))
    return name[0].upper() + name[1:]


def _read(shape: Any, prefix: str, left: dict[str, str], *, ec2: bool) -> Any:
    if shape.type_name == "list":
        flat = ec2 or shape.serialization.get("flattened")
        base = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        items = _numbered(base, left)
        if not items and left.get(prefix) == "":
            # How an empty list is sent.
            del left[prefix]
            return []
        return [_read(shape.member, f"{base}.{index}", left, ec2=ec2) for index in items] or None
    if shape.type_name == "structure":
        found = {
            name: value
            for name, member in shape.members.items()
            if (
                value := _read(
                    member, f"{prefix}.{_parameter(name, member, ec2=ec2)}", left, ec2=ec2
                )
            )
            is not None
        }
        return found or None
    text = left.pop(prefix, None)
    return text if text is None else _value(shape, text)


def _numbered(base: str, left: dict[str, str]) -> list[int]:
    start = f"{base}."
    tails = (name[len(start) :].split(".")[0] for name in left if name.startswith(start))
    return sorted({int(tail) for tail in tails if tail.isdigit()})


def _value(shape: Shape, text: str) -> Any:
    # What cannot be converted stays text, and the check of the shape names it.
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        return _NUMBERS.get(shape.type_name, str)(text)
    except ValueError:
        return text


def write_answer(operation: OperationModel, answer: dict[str, Any], request_id: str) -> bytes:
    """The XML of an answer."""
    name = operation.name
    shape = operation.output_shape
    inner = "".join(_members(shape, answer)) if shape is not None else ""
    if operation.service_model.protocol == "ec2":
        body = f"<requestId>{request_id}</requestId>{inner}"
    else:
        wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
        result = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
        body = f"{result}<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f"<{name}Response>{body}</{name}Response>".encode()


def write_error(service: str, error: ApiError, request_id: str) -> bytes:
    """The XML of an error."""
    inner = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
    if service == "ec2":
        return (
            f"<Response><Errors><Error>{inner}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        ).encode()
    return (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _members(shape: Any, value: dict[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        member = shape.members[name]
        yield _element(member.serialization.get("name", name), member, item)


def _element(tag: str, shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        inner = "".join(_members(shape, value))
    elif shape.type_name == "list":
        item = shape.member.serialization.get("name", "member")
        inner = "".join(_element(item, shape.member, one) for one in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{tag}>{inner}</{tag}>"
