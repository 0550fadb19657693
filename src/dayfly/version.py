"""The version, alone, so that ``dayfly --version`` imports nothing else."""

__version__ = "0.1.0"
