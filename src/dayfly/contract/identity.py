"""Names and digests that make a launch happen once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from dayfly.contract.jobs import Isolation

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec

_KEY_DIGITS = 20


def key_digest(key: str) -> str:
    """Twenty hex digits that stand for an idempotency key wherever a name is short."""
    return hashlib.sha256(key.encode()).hexdigest()[:_KEY_DIGITS]


def name_for(key: str, spec_name: str = "", *, limit: int = 63) -> str:
    """The provider-side name of a key's job: lower case letters, digits and hyphens.

    Args:
        key: The idempotency key; it alone decides the name's last part.
        spec_name: What a person called the job; as much of it as fits goes in front.
        limit: Longest name allowed, at least 32.
    """
    digest = key_digest(key)
    room = limit - len("dayfly--") - len(digest)
    slug = re.sub(r"[^a-z0-9]+", "-", spec_name.lower())[: max(room, 0)].strip("-")
    return f"dayfly-{slug}-{digest}" if slug else f"dayfly-{digest}"


def intent_digest(spec: JobSpec) -> str:
    """SHA-256 of all that a job is, so that one key cannot mean two jobs.

    Secret references are part of it; secret values are not known here.
    """
    table = {f.name: plain(getattr(spec, f.name)) for f in fields(spec)}
    if spec.isolation == Isolation():
        # It came later than the digests that journals and clouds keep.
        del table["isolation"]
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def plain(value: object) -> object:
    """A value of the contract as JSON has it: dataclasses and mappings as objects."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        # The wire has only floats where a caller may have written a whole number.
        return int(value)
    return value
