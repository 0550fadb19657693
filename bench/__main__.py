"""Print the table: ``python -m bench [startup] [throughput] [watch] [aws]``."""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

BENCHES = ("startup", "throughput", "watch", "aws")


def main() -> int:
    chosen = sys.argv[1:] or BENCHES
    for name in chosen:
        if name not in BENCHES:
            sys.exit(f"no bench {name!r}; there are: {', '.join(BENCHES)}")
    table = Table("what", "measured", "goal", "")
    missed = 0
    for name in chosen:
        for row in import_module(f"bench.{name}").measure():
            missed += not row.reached
            table.add_row(row.what, row.measured, row.goal, "ok" if row.reached else "MISSED")
    Console().print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
