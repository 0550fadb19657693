"""What the sandbox service's messages cannot say, in the metadata beside them.

The last chunk has an exit code and nothing else. Our agent says the rest in its trailing
metadata, which a client of the Go project does not look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dayfly.contract.jobs import JobState, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVICE: Final = "workflow.plugin.external.sandbox.SandboxExecService"

_STATE: Final = "dayfly-state"
_REASON: Final = "dayfly-reason"
_PROFILE: Final = "dayfly-profile"
_MESSAGE: Final = "dayfly-message-bin"
_NOTE: Final = "dayfly-note-bin"
_LOST: Final = "dayfly-output-lost-bin"

#: gRPC fails a call whose metadata is over 8 KiB.
_MAX_TEXT: Final = 500
_MAX_NOTES: Final = 8


class Trailer(NamedTuple):
    """How a command ended at the agent.

    Attributes:
        state: None where the agent did not say.
        reason: Why.
        profile: What it ran under.
        message: One line for a person.
        notes: A sentence each.
        output_lost: Why the output is not whole; empty where it is.
    """

    state: JobState | None = None
    reason: Reason | None = None
    profile: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    output_lost: str = ""

    def agrees_with(self, code: int | None) -> bool:
        """Whether this is an end, and that of a command with this exit code."""
        succeeded = self.state is JobState.SUCCEEDED
        if self.state is None:
            return self.reason is None
        if self.state is JobState.UNKNOWN:
            return code is None
        if self.state in {JobState.PENDING, JobState.RUNNING} or (succeeded and code):
            return False
        if self.state is JobState.FAILED and code == 0:
            # A timeout can be: the command made the best of its stop.
            return self.reason not in {None, Reason.COMPLETED, Reason.EXITED_NONZERO}
        return self.reason is None or succeeded == (self.reason is Reason.COMPLETED)


def trailer_to_wire(trailer: Trailer) -> tuple[tuple[str, str | bytes], ...]:
    """As metadata."""
    rows: list[tuple[str, str | bytes]] = [(_PROFILE, trailer.profile)]
    if trailer.state is not None:
        rows.append((_STATE, trailer.state.name))
    if trailer.reason is not None:
        rows.append((_REASON, trailer.reason.name))
    if trailer.message:
        rows.append((_MESSAGE, _text(trailer.message)))
    if trailer.output_lost:
        rows.append((_LOST, _text(trailer.output_lost)))
    rows.extend((_NOTE, _text(note)) for note in trailer.notes[:_MAX_NOTES])
    return tuple(rows)


def trailer_from_wire(metadata: Iterable[tuple[str, str | bytes]]) -> Trailer:
    """From metadata; what is unknown is left out."""
    rows = [(key, _line(value)) for key, value in metadata]
    told = dict(rows)
    return Trailer(
        state=JobState.__members__.get(told.get(_STATE, "")),
        reason=Reason.__members__.get(told.get(_REASON, "")),
        profile=told.get(_PROFILE, ""),
        message=told.get(_MESSAGE, ""),
        notes=tuple(value for key, value in rows if key == _NOTE),
        output_lost=told.get(_LOST, ""),
    )


def _line(value: str | bytes) -> str:
    """One line, whatever an agent says: a second one could pass for ours."""
    text = value if isinstance(value, str) else value.decode(errors="replace")
    return " ".join(text.split())


def _text(text: str) -> bytes:
    return text[:_MAX_TEXT].encode(errors="replace")
