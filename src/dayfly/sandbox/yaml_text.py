"""YAML with every value as the text that was written.

What a person wrote for a variable is what the command gets: ``no``, ``1.10`` and ``0755`` stay
as they are, where a YAML library would make false, 1.1 and 493 of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import FailedPrecondition, InvalidField

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 1024 * 1024


def read_yaml(path: Path) -> Any:
    """The document of a file: mappings, lists and text.

    Raises:
        InvalidField: It cannot be read, or is no YAML of one document.
        FailedPrecondition: PyYAML is not installed.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InvalidField(f"{path}: {error.strerror}", field="file") from error
    if len(raw) > _MAX_BYTES:
        raise InvalidField(f"{path} is over {_MAX_BYTES} bytes", field="file")
    try:
        return parse_yaml(raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidField(f"{path} is not UTF-8 text", field="file") from error
    except InvalidField as error:
        raise InvalidField(f"{path}: {error.message}", field="file") from error


def parse_yaml(text: str) -> Any:
    """A document: mappings, lists and text.

    Raises:
        InvalidField: It is no YAML of one document, or a key is there twice.
        FailedPrecondition: PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - for steps in files alone
    except ImportError as error:
        raise FailedPrecondition(
            "a step in a file needs the Python package PyYAML, which is not installed",
            field="file",
            advice="pip install 'dayfly[sandbox]', or give the step as options.",
        ) from error

    class Loader(yaml.SafeLoader):
        """Knows merges (``<<``), and that all else is text."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - as the library declares it
            letter: [row for row in rows if row[0] == "tag:yaml.org,2002:merge"]
            for letter, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value if key.value != "<<"]
            for key in keys:
                if not isinstance(key, str) or keys.count(key) > 1:
                    mark = node.start_mark
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} is there twice, or is no text", mark
                    )
            return super().construct_mapping(node, deep=deep)

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidField(f"is no YAML: {error}", field="file") from error
