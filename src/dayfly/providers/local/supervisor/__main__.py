"""Run by its path, isolated, so the package's root is put on the search path by hand."""
# ruff: noqa: PTH100, PTH120 - pathlib would be a third of a supervisor's start

import os.path
import sys

if __name__ == "__main__":
    _above = os.path.abspath(__file__)
    for _ in range(5):
        _above = os.path.dirname(_above)
    # Last, so that nothing installed beside dayfly hides a module of the standard library.
    sys.path.append(_above)
    from dayfly.providers.local.supervisor.main import main  # the path had to come first

    sys.exit(main(sys.argv[1]))
