"""A provider to begin with: it works as it is, and is filled in file by file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dayfly.contract.errors import AlreadyExists, FailedPrecondition, InvalidField
from dayfly.host.discovery import built_in
from dayfly.host.packages.naming import check_name

_TEMPLATE: Final = Path(__file__).parent / "template"
_TESTS: Final = ("test_conformance.py", "test_states.py")
_PROJECT: Final = ("pyproject.toml", "README.md")


def write_provider(name: str, directory: Path) -> list[Path]:
    """Write a Python package with a provider, its tests and its README.

    Args:
        name: The plugin's; its package is ``dayfly_<name>``.
        directory: The project's; it is made, and must not be there or be empty.

    Returns:
        The files that were written.

    Raises:
        InvalidField: The name is none, or that of a plugin that comes with dayfly.
        AlreadyExists: There is something in the directory.
        FailedPrecondition: It cannot be written.
    """
    if built_in(check_name(name)):
        raise InvalidField(
            f"plugin is {name!r}, which comes with dayfly and would hide it", field="plugin"
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise AlreadyExists(f"{directory} is there already, and not empty")
    package = f"dayfly_{name.replace('-', '_')}"
    written = []
    try:
        for source in sorted(_TEMPLATE.glob("*.in")):
            path = directory / _place(source.name.removesuffix(".in"), package)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8")
            text = text.replace("@NAME@", name).replace("@PACKAGE@", package)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise FailedPrecondition(f"{directory} cannot be written: {error}") from error
    return written


def _place(file: str, package: str) -> Path:
    if file in _PROJECT:
        return Path(file)
    return Path("tests", file) if file in _TESTS else Path("src", package, file)
