"""What an agent runs for others, whatever they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField, PermissionDenied
from dayfly.contract.shapes import check_text
from dayfly.sandbox.command import LOCAL_DOCKER, PROVIDER_EPHEMERAL, Command, is_reference
from dayfly.sandbox.profiles import STRICT, profile_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.wire import sandbox_pb2 as wire

#: A command of a million words, or with as many variables, keeps an engine busy for minutes.
_MOST_WORDS: Final = 100_000
_MOST_VARIABLES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The bounds of one agent.

    Attributes:
        images: Patterns of images that may run: ``*`` is any text within a part between
            slashes, ``**`` any text at all.
        highest: The least strict profile that is given; what asks for less gets this one.
        secret_prefixes: Beginnings of ``secret://`` names that may be used; none is none.
        provider: Where it runs them; empty is ``local-docker``.
        labels: What its jobs can be found by.
    """

    images: tuple[str, ...]
    highest: str = STRICT
    secret_prefixes: tuple[str, ...] = ()
    provider: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def admit(self, request: wire.SandboxExecRequest) -> Command:
        """The command that a request becomes.

        Raises:
            InvalidField: It can never run as it stands.
            PermissionDenied: Its image or a secret is not allowed here.
        """
        if not request.command:
            raise InvalidField("the command is empty", field="command")
        _at_most(_MOST_WORDS, len(request.command), "command")
        _at_most(_MOST_VARIABLES, len(request.env), "env")
        self._check_image(request.image)
        for name, value in request.env.items():
            check_text(f"env.{name}", value, shown=False)
            if is_reference(value):
                self._check_secret(name, value)
        return Command(
            argv=tuple(request.command),
            exec_env=PROVIDER_EPHEMERAL if self.provider else LOCAL_DOCKER,
            provider=self.provider,
            image=request.image,
            profile=self.clamped(request.profile),
            env=dict(request.env),
            working_dir=request.workdir,
            labels=self.labels,
        )

    def clamped(self, asked: str) -> str:
        """The profile that is given to who asks for this one; nothing asks for ``strict``.

        Raises:
            InvalidField: It is unknown.
        """
        profile, highest = profile_named(asked or STRICT), profile_named(self.highest)
        return profile.name if profile.strictness >= highest.strictness else highest.name

    def _check_image(self, image: str) -> None:
        if not image:
            raise InvalidField("image is empty; a sandbox needs one", field="image")
        if not any(_pattern(allowed).fullmatch(image) for allowed in self.images):
            raise PermissionDenied(
                f"image {image[:200]!r} is not among those that this agent runs",
                field="image",
                advice="Ask whoever runs the agent for it (--allow-image).",
            )

    def _check_secret(self, name: str, reference: str) -> None:
        wanted = reference.removeprefix("secret://")
        allowed = any(wanted.startswith(prefix) for prefix in self.secret_prefixes)
        if not allowed or {".", ".."} & set(wanted.partition("#")[0].split("/")):
            # The same words whether there is such a secret or not.
            raise PermissionDenied(
                f"env.{name} is a secret that this agent does not give away",
                field=f"env.{name}",
                advice="Ask whoever runs the agent for its prefix (--secret-prefix).",
            )


def _at_most(most: int, got: int, field: str) -> None:
    if got > most:
        raise InvalidField(f"{field} has {got} parts; this agent takes {most}", field=field)


def check_pattern(pattern: str) -> str:
    """A pattern of images.

    Raises:
        InvalidField: It is empty, or not the kind of text that an image is.
    """
    if not pattern or re.search(r"\s", pattern):
        raise InvalidField(
            f"--allow-image {pattern!r} is no pattern; allowed: registry.example/ci/*, **",
            field="allow_image",
        )
    return pattern


def _pattern(allowed: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", allowed)
    joined = {"**": r"\S*", "*": r"[^/\s]*"}
    return re.compile("".join(joined.get(part, re.escape(part)) for part in parts))
