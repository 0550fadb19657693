"""Secret references, as ECS and Batch take them: the value is read in the cloud, never here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

#: As the plugin describes them.
FORMS: Final = (
    "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME[:JSON_KEY:VERSION_STAGE:VERSION_ID]",
    "arn:aws:ssm:REGION:ACCOUNT:parameter/NAME",
    "secret://NAME[#JSON_KEY]",
)
_PORTABLE: Final = "secret://"
#: Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
#: Key, stage and id may each be empty, and stage and id exclude each other.
_MANAGER: Final = re.compile(
    r"(arn:[\w-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+)"
    r"(?::([^:\x00-\x1f\x7f]*):(?:([\w/+=.@-]*):|:([\w-]*)))?",
    re.ASCII,
)
_PARAMETER: Final = re.compile(r"arn:[\w-]+:ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+", re.ASCII)


def is_parameter(reference: str) -> bool:
    """It names a parameter of the SSM Parameter Store."""
    return bool(_PARAMETER.fullmatch(reference))


def secret_arn(reference: str) -> str:
    """The secret's own ARN, without key, stage and version."""
    found = _MANAGER.fullmatch(reference)
    return found.group(1) if found else reference


def check_reference(reference: str, field: str) -> None:
    """Refuse what is no ARN of a secret. It is not shown: it may be a value, misplaced.

    Raises:
        InvalidField: Naming the field and the forms that there are.
    """
    if not (_MANAGER.fullmatch(reference) or is_parameter(reference)):
        raise InvalidField(
            f"{field} is no reference of a known form: {', '.join(FORMS)}", field=field
        )


def value_from(references: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Variable to what ``secrets[].valueFrom`` says.

    Args:
        references: Variable to reference, of a job.
        names: ``secret://`` names to ARNs, of the configuration.

    Raises:
        InvalidField: A reference is of no known form.
        NotFound: A portable name is not in the configuration; SECRET_UNAVAILABLE.
    """
    return {name: _value_from(name, text, names) for name, text in references.items()}


def _value_from(variable: str, reference: str, names: Mapping[str, str]) -> str:
    field = f"secrets.{variable}"
    if not reference.startswith(_PORTABLE):
        check_reference(reference, field)
        return reference
    portable, mark, key = reference.removeprefix(_PORTABLE).partition("#")
    if portable not in names:
        raise NotFound(
            f"{field} is {_PORTABLE}{portable}, which the configuration does not map",
            field=field,
            reason=Reason.SECRET_UNAVAILABLE,
            advice=f"Add {portable} to the table [providers.NAME.secrets] of dayfly.toml.",
        )
    arn = names[portable]
    return _with_key(arn, key, field) if mark else arn


def _with_key(arn: str, key: str, field: str) -> str:
    if is_parameter(arn):
        raise InvalidField(
            f"{field} asks for the key {key!r}, and a parameter of SSM has none", field=field
        )
    found = _MANAGER.fullmatch(arn)
    if found is None or found.group(2):
        raise InvalidField(
            f"{field} asks for the key {key!r}, and the configured ARN names one already",
            field=field,
        )
    keyed = f"{found.group(1)}:{key}:{found.group(3) or ''}:{found.group(4) or ''}"
    if not key or not _MANAGER.fullmatch(keyed):
        raise InvalidField(f"{field} asks for the key {key!r}, which is none", field=field)
    return keyed
