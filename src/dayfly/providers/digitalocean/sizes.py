"""The sizes that App Platform sells, and the smallest that holds a job."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from dayfly.contract.jobs import Resources

#: From small to large: shared CPUs first, then dedicated ones.
#: Source: DigitalOcean's OpenAPI definition, app_component_instance_base.instance_size_slug,
#: without the deprecated ones; each says its own CPUs and memory. What comes to an account's
#: list later is not known here.
SLUGS: Final = (
    "apps-s-1vcpu-0.5gb",
    "apps-s-1vcpu-1gb",
    "apps-s-1vcpu-2gb",
    "apps-s-2vcpu-4gb",
    "apps-d-1vcpu-0.5gb",
    "apps-d-1vcpu-1gb",
    "apps-d-1vcpu-2gb",
    "apps-d-1vcpu-4gb",
    "apps-d-2vcpu-4gb",
    "apps-d-2vcpu-8gb",
    "apps-d-4vcpu-8gb",
    "apps-d-4vcpu-16gb",
    "apps-d-8vcpu-32gb",
)
DEFAULT: Final = SLUGS[0]
_FORM: Final = re.compile(r"apps-([sd])-(\d+)vcpu-([\d.]+)gb")


class Size(NamedTuple):
    """What a job's instance has.

    Attributes:
        slug: DigitalOcean's name.
        cpus: vCPU.
        memory_mib: MiB.
        note: What was rounded up or changed; empty where nothing was.
    """

    slug: str
    cpus: int
    memory_mib: int
    note: str = ""


def measures(slug: str) -> Size:
    """What a slug says of itself."""
    found = _FORM.fullmatch(slug)
    if not found:
        raise InvalidField(f"{slug!r} is no size of App Platform", field="size")
    return Size(slug, int(found[2]), int(float(found[3]) * 1024))


def choose(resources: Resources, *, size: str = "", cpu: str = "shared") -> Size:
    """The smallest size with at least what is asked for.

    Args:
        resources: What the job asks for.
        size: The slug where it asks for nothing; empty is DigitalOcean's own default.
        cpu: ``shared`` tries sizes with shared CPUs first; ``dedicated`` takes none of them.

    Raises:
        InvalidField: No size has that much.
    """
    cpus, memory = resources.cpus, resources.memory_mib
    if cpus is None and memory is None:
        plain = size or next(slug for slug in SLUGS if slug.startswith(f"apps-{cpu[0]}"))
        return measures(plain)
    kinds = ("s", "d") if cpu == "shared" else ("d",)
    offered = [measures(slug) for slug in SLUGS if slug[5] in kinds]
    for one in offered:
        if one.cpus >= (cpus or 0) and one.memory_mib >= (memory or 0):
            return one._replace(note=_note(resources, one, cpu))
    largest = offered[-1]
    field = "resources.cpus" if cpus and math.ceil(cpus) > largest.cpus else "resources.memory_mib"
    raise InvalidField(
        f"{field} is {cpus if field == 'resources.cpus' else memory}; the largest size, "
        f"{largest.slug}, has {largest.cpus} vCPU and {largest.memory_mib} MiB",
        field=field,
    )


def _note(resources: Resources, size: Size, cpu: str) -> str:
    raised = []
    if resources.cpus is not None and resources.cpus < size.cpus:
        raised.append(f"{resources.cpus:g} vCPU to {size.cpus}")
    if resources.memory_mib is not None and resources.memory_mib < size.memory_mib:
        raised.append(f"{resources.memory_mib} MiB to {size.memory_mib}")
    words = f"rounded up {' and '.join(raised)}" if raised else ""
    if cpu == "shared" and size.slug[5] == "d":
        words = ", ".join(filter(None, (words, "with dedicated CPUs: no shared size is so large")))
    return f"App Platform sizes: {size.slug}, {words}." if words else ""
