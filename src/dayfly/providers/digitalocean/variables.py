"""A job's environment, as App Platform takes it: plain, secret, and bound to a component."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import TargetMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dayfly.contract.jobs import JobSpec, Submission

#: What a run is known by. An app has no tags, so its job's environment has them.
KEY: Final = "DAYFLY_KEY"
INTENT: Final = "DAYFLY_INTENT"
NAME: Final = "DAYFLY_NAME"
LABELS: Final = "DAYFLY_LABELS"
OWN: Final = (KEY, INTENT, NAME, LABELS)

#: Source: DigitalOcean's OpenAPI definition, app_variable_definition.key.
_NAME: Final = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_BINDABLE: Final = re.compile(r"\$\{(?:[a-z][a-z0-9-]{0,30}[a-z0-9]\.)?[A-Za-z_][A-Za-z0-9_]*\}")
#: App Platform puts other values in place of these, in every variable.
#: Source: docs.digitalocean.com/products/app-platform/how-to/use-environment-variables
_SUBSTITUTED: Final = "${"


def check_variables(spec: JobSpec) -> None:
    """Refuse what App Platform would not carry as it is.

    Raises:
        InvalidField: Naming the variable.
    """
    for field, table in (("env", spec.env), ("secrets", spec.secrets)):
        for name in table:
            if not _NAME.fullmatch(name) or name in OWN:
                raise InvalidField(
                    f"{field}.{name}: App Platform takes letters, digits and '_', not a digit "
                    f"first; {', '.join(OWN)} are dayfly's own",
                    field=f"{field}.{name}",
                )
    for name, value in spec.env.items():
        if _SUBSTITUTED in value:
            raise InvalidField(
                f"env.{name} has {_SUBSTITUTED!r}, in whose place App Platform would put "
                "something else",
                field=f"env.{name}",
                advice=f"To bind a component's variable, use --secret {name}='${{db.DATABASE_URL}}'"
                " with an attached target.",
            )
    for name, value in spec.labels.items():
        if _SUBSTITUTED in name + value:
            raise InvalidField(
                f"labels.{name} has {_SUBSTITUTED!r}, which App Platform would replace",
                field=f"labels.{name}",
            )
    for name, reference in spec.secrets.items():
        if is_bindable(reference) and spec.target.mode is TargetMode.OWNED:
            raise InvalidField(
                f"secrets.{name} is bound to a component, and an app made for one job has none",
                field=f"secrets.{name}",
                advice="Attach the job to the app that has the component: --target-mode clone.",
            )


def is_bindable(reference: str) -> bool:
    """A reference that App Platform itself resolves, such as ``${db.DATABASE_URL}``."""
    return bool(_BINDABLE.fullmatch(reference))


def to_resolve(spec: JobSpec) -> dict[str, str]:
    """References that this process resolves."""
    return {n: reference for n, reference in spec.secrets.items() if not is_bindable(reference)}


def check_values(values: Mapping[str, str]) -> None:
    """Refuse a secret that App Platform would not carry as it is; it is not shown.

    Raises:
        InvalidField: Naming the variable.
    """
    for name, value in values.items():
        if _SUBSTITUTED in value:
            raise InvalidField(
                f"the value of secrets.{name} has {_SUBSTITUTED!r}, in whose place App Platform "
                "would put something else",
                field=f"secrets.{name}",
            )


def variables(submission: Submission, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """``envs`` of the job's component.

    Args:
        submission: The job and its key.
        values: Variable names to what stands for the secrets that are resolved here: values
            to send, references to show.
    """
    spec = submission.spec
    marks = {KEY: _plain_key(submission.key), INTENT: intent_digest(spec), NAME: spec.name}
    if spec.labels:
        marks[LABELS] = json.dumps(dict(spec.labels), sort_keys=True)
    # What is bound has nothing secret in it: it is a reference still.
    bound = {n: reference for n, reference in spec.secrets.items() if is_bindable(reference)}
    return [
        *_envs({**spec.env, **marks, **bound}.items(), "GENERAL"),
        *_envs(values.items(), "SECRET"),
    ]


def _envs(pairs: Iterable[tuple[str, str]], kind: str) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": value, "scope": "RUN_TIME", "type": kind} for name, value in pairs
    ]


def mark(component: Mapping[str, Any], name: str) -> str:
    """What a component's environment says under one of our names; empty where it does not."""
    for variable in component.get("envs") or ():
        if variable.get("key") == name:
            return str(variable.get("value", ""))
    return ""


def key_of(component: Mapping[str, Any]) -> str:
    """The idempotency key of a job; empty where it is none of dayfly's."""
    return unquote(mark(component, KEY))


def _plain_key(key: str) -> str:
    # No dollar: App Platform would look for something to put in its place.
    return key.replace("%", "%25").replace("$", "%24")


def labels_of(component: Mapping[str, Any]) -> dict[str, str]:
    """The labels that a job was launched with."""
    try:
        found = json.loads(mark(component, LABELS) or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
