"""What finds a job again, and its labels, as AWS tags.

Source: docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html (characters, lengths)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import key_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN: Final = "dayfly:"
KEY: Final = "dayfly:key"
#: The key as it was given, where a tag can hold it.
FULL_KEY: Final = "dayfly:idempotency-key"
INTENT: Final = "dayfly:intent"
NAME: Final = "dayfly:name"

_MAX_TAGS: Final = 50
_VALUE: Final = re.compile(r"[\w .:/=+@-]*")


def tag_map(key: str, intent: str, name: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Tags of a job, as Batch takes them.

    Raises:
        InvalidField: A label cannot be a tag, or there are too many.
    """
    tags = {KEY: key_digest(key), INTENT: intent, NAME: name}
    if _VALUE.fullmatch(key):
        tags[FULL_KEY] = key
    for label, value in labels.items():
        _check(label, value)
    if len(labels) + len(tags) > _MAX_TAGS:
        raise InvalidField(
            f"there are {len(labels)} labels; AWS keeps {_MAX_TAGS} tags, {len(tags)} of them "
            "dayfly's own",
            field="labels",
        )
    return {**labels, **tags}


def tags_of(key: str, intent: str, name: str, labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags of a job, as ECS takes them.

    Raises:
        InvalidField: As ``tag_map``.
    """
    return [{"key": k, "value": v} for k, v in tag_map(key, intent, name, labels).items()]


def labels_in(tags: Mapping[str, str]) -> dict[str, str]:
    """The labels among a job's tags."""
    return {name: value for name, value in tags.items() if not name.startswith((OWN, "aws:"))}


def _check(label: str, value: str) -> None:
    if label.lower().startswith(("aws:", OWN)):
        raise InvalidField(
            f"the label {label!r} begins as AWS's or dayfly's own tags do", field=f"labels.{label}"
        )
    if not _VALUE.fullmatch(value):
        raise InvalidField(
            f"labels.{label} is {value!r}; a tag of AWS's takes letters, digits, spaces and "
            "+ - = . _ : / @",
            field=f"labels.{label}",
        )
