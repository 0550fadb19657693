"""Dayfly runs one container, once, on a cloud's own job runner, and tells how it ended."""

from dayfly.version import __version__

__all__ = ["__version__"]
