"""A line of a search; an index may list less of a plugin than its entry says."""

from __future__ import annotations

from typing import NamedTuple

from dayfly.contract.errors import InvalidField


class Listed(NamedTuple):
    """What a person needs to choose one; ``kind`` as in an entry."""

    name: str
    version: str
    description: str
    kind: str
    keywords: tuple[str, ...]


def parse_listed(document: object) -> Listed:
    """The few fields of a search; other hosts' indexes list them beside others of their own.

    Raises:
        InvalidField: One is missing, or wrong.
    """
    if not isinstance(document, dict):
        raise InvalidField("it is not an object", field="index")
    for field in ("name", "version", "description", "type"):
        if not isinstance(document.get(field), str):
            raise InvalidField(f"{field} is {document.get(field)!r}; allowed: text", field=field)
    keywords = document.get("keywords") or []
    return Listed(
        name=document["name"],
        version=document["version"],
        description=document["description"],
        kind=document["type"],
        keywords=tuple(map(str, keywords)) if isinstance(keywords, list) else (),
    )
