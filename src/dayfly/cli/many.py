"""Commands that do one thing to several jobs: start their plugins, act, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dayfly.cli.failures import failure_fields, say_failure
from dayfly.cli.naming import choose
from dayfly.cli.printing import print_json, show
from dayfly.cli.session import start
from dayfly.contract.errors import DayflyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dayfly.cli.naming import Chosen
    from dayfly.jobs import Job

T = TypeVar("T")


def with_chosen(
    selectors: Sequence[str], on: str, act: Callable[[Job], Awaitable[T]]
) -> list[tuple[Chosen, T | DayflyError]]:
    """Do the same to every job that is named, all at once.

    Returns:
        In their order, what came of it, or why nothing did.

    Raises:
        NotFound: A selector names no job; nothing was done to any.
        InvalidField: A selector is ambiguous or a damaged token; as above.
    """
    jobs = [choose(selector, on) for selector in dict.fromkeys(selectors)]
    connections = {name: start(name) for name in dict.fromkeys(job.provider for job in jobs)}
    from dayfly.cli.reach import with_each  # noqa: PLC0415 - while the plugins start

    return list(zip(jobs, with_each(connections, jobs, act), strict=True))


def report(
    results: Sequence[tuple[Chosen, T | DayflyError]],
    *,
    as_json: bool,
    fields: Callable[[Chosen, T], dict[str, object]],
    line: Callable[[Chosen, T], str],
) -> list[T]:
    """Print what came of each job: results on stdout, failures on stderr too.

    Returns:
        The results that are no failures.
    """
    good: list[T] = []
    documents: list[dict[str, object]] = []
    for job, result in results:
        if isinstance(result, DayflyError):
            say_failure(result, prefix=f"{job.name}: ")
            error = failure_fields(result)
            documents.append({"name": job.name, "provider": job.provider, "error": error})
            continue
        good.append(result)
        documents.append(fields(job, result))
        if not as_json:
            show(line(job, result))
    if as_json:
        print_json(documents)
    return good
