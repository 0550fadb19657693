"""Says in one sentence that the interpreter is too old, before anything is installed."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "dayfly needs Python 3.11 or later; this is {}. "
        "Name another one: make PYTHON=python3.12 ...".format(sys.version.split()[0])
    )
