"""Output arrives in order, each byte once, to its end, with the streams apart."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import LogQuery
from dayfly.testing.rules import Promise, rule
from dayfly.testing.same import expect
from dayfly.testing.trial import Output, first_output, read

if TYPE_CHECKING:
    from dayfly.testing.trial import Trial

_BOTH = (
    "i=1; while [ $i -le %d ]; do"
    ' echo "out $i of a line that has some length"; echo "err $i" >&2; i=$((i+1)); done'
)
_A_SECOND_APART = "echo line 1; sleep 1; echo line 2; sleep 1; echo line 3"
_MEBIBYTE = "s=0123456789abcdef; i=0; while [ $i -lt 16 ]; do s=$s$s; i=$((i+1)); done"


class EveryLine(Promise):
    """Every line: in order, once, to the end."""

    @rule()
    async def test_one_hundred_thousand_lines(self, trial: Trial) -> None:
        """100,000 lines on two streams: none lost, doubled, out of order or mixed."""
        half = 50_000
        status, output = await trial.finish(trial.job(_BOTH % half))
        assert status.exit_code == 0
        out = b"".join(b"out %d of a line that has some length\n" % i for i in range(1, half + 1))
        err = b"".join(b"err %d\n" % i for i in range(1, half + 1))
        stdout, stderr = output.stdout, output.stderr
        if not (await trial.jobs.describe()).separates_streams:
            # What does not promise to keep them apart may still do so.
            lines = (stdout + stderr).splitlines(keepends=True)
            stdout = b"".join(line for line in lines if not line.startswith(b"err"))
            stderr = b"".join(line for line in lines if line.startswith(b"err"))
        expect(stdout, out)
        expect(stderr, err, of="stderr")

    @rule()
    async def test_a_line_of_one_mebibyte(self, trial: Trial) -> None:
        """A line of 1 MiB arrives whole."""
        _, output = await trial.finish(trial.job(f'{_MEBIBYTE}; printf "%s\\n" "$s"; echo after'))
        expect(output.stdout, b"0123456789abcdef" * 2**16 + b"\nafter\n")

    @rule()
    async def test_binary_output(self, trial: Trial) -> None:
        """All 256 bytes arrive as they are, in both streams."""
        octal = "".join(f"\\{byte:03o}" for byte in range(256))
        _, output = await trial.finish(trial.job(f"printf '{octal}'; printf '{octal}' >&2"))
        everything = bytes(range(256))
        if (await trial.jobs.describe()).separates_streams:
            expect(output.stdout, everything)
            expect(output.stderr, everything, of="stderr")
        else:
            expect(output.stdout + output.stderr, everything * 2, of="output")

    @rule()
    async def test_no_newline_at_the_end(self, trial: Trial) -> None:
        """Output that does not end with a newline gets none, and is not lost."""
        _, output = await trial.finish(trial.job("printf 'one\\ntwo'"))
        assert output.stdout == b"one\ntwo"

    @rule()
    async def test_no_output_at_all(self, trial: Trial) -> None:
        """A job that prints nothing has an empty output that ends."""
        _, output = await trial.finish(trial.job("true"))
        assert (output.stdout, output.stderr) == (b"", b"")

    @rule()
    async def test_output_is_live(self, trial: Trial) -> None:
        """What a job prints is read while it still runs."""
        job = await trial.launch(trial.provider.endless("echo early"), follow=True)
        assert b"early" in (await first_output(job)).data
        assert not (await job.status()).final

    @rule()
    async def test_output_after_the_end(self, trial: Trial) -> None:
        """The whole output can be read after the end, as often as one likes."""
        job = await trial.launch(trial.job(_BOTH % 100))
        await job.wait(timeout=trial.provider.seconds)
        first, second = await read(job), await read(job, follow=False)
        assert len(first.stdout.splitlines()) >= 100
        expect(second.stdout, first.stdout)
        expect(second.stderr, first.stderr, of="stderr")

    @rule("observer")
    async def test_reading_goes_on_from_every_cursor(self, trial: Trial) -> None:
        """From the cursor of any batch the rest follows: nothing twice, nothing missing."""
        job = await trial.launch(trial.job(_BOTH % 3000))
        whole = await read(job)
        step = max(len(whole.batches) // 8, 1)
        for number in range(0, len(whole.batches), step):
            before = Output(whole.batches[: number + 1])
            rest = await read(job, cursor=whole.batches[number].cursor)
            expect(before.stdout + rest.stdout, whole.stdout)
            expect(before.stderr + rest.stderr, whole.stderr, of="stderr")

    @rule("observer")
    async def test_a_cursor_of_nothing_is_refused(self, trial: Trial) -> None:
        """A cursor that is not one of the job's is INVALID_ARGUMENT, never other output."""
        assert trial.services.observer
        job = await trial.launch(trial.job("echo hello"))
        await read(job)
        for cursor in ("nonsense", "-1:-1:-1", "9" * 400, "\n", "é"):
            with pytest.raises(InvalidField):
                _ = [
                    batch
                    async for batch in trial.services.observer.logs(
                        job.handle, LogQuery(cursor=cursor)
                    )
                ]

    @rule("observer")
    async def test_tail_gives_the_last_lines(self, trial: Trial) -> None:
        """Tail gives the last lines of what is there; 0 gives none."""
        job = await trial.launch(trial.job("for i in 1 2 3 4 5; do echo line $i; done"))
        await read(job)
        for count in (0, 1, 2, 5, 9):
            tail = await read(job, tail_lines=count, follow=False)
            lines = [b"line %d\n" % i for i in range(1, 6)]
            assert tail.stdout == b"".join(lines[len(lines) - min(count, 5) :])

    @rule("observer")
    async def test_lines_have_their_times(self, trial: Trial) -> None:
        """With timestamps each line has a time, in order, near the truth."""
        before = datetime.now(UTC)
        job = await trial.launch(trial.job(_A_SECOND_APART))
        records = [record async for record in job.logs(timestamps=True)]
        assert [record.text for record in records] == ["line 1", "line 2", "line 3"]
        times = [record.time for record in records if record.time]
        assert len(times) == 3
        assert times == sorted(times)
        assert (times[-1] - times[0]).total_seconds() > 1.5
        assert abs((times[0] - before).total_seconds()) < trial.provider.seconds

    @rule("observer")
    async def test_timestamps_change_no_byte(self, trial: Trial) -> None:
        """With timestamps the bytes are the same, of a line of 1 MiB and of binary too."""
        job = await trial.launch(
            trial.job(f'{_MEBIBYTE}; printf "%s\\n\\n\\377\\000\\001\\r\\nend" "$s"')
        )
        plain = await read(job)
        stamped = await read(job, timestamps=True)
        expect(stamped.stdout, plain.stdout)
        assert len(plain.stdout) == 2**20 + 10

    @rule("observer")
    async def test_since_leaves_out_what_was_before(self, trial: Trial) -> None:
        """Since gives what was printed at or after a time."""
        job = await trial.launch(trial.job(_A_SECOND_APART))
        records = [record async for record in job.logs(timestamps=True)]
        third = records[2].time
        assert third
        later = await read(job, since=third - timedelta(seconds=0.4), follow=False)
        assert later.stdout == b"line 3\n"
        nothing = await read(job, since=third + timedelta(hours=1), follow=False)
        assert nothing.stdout == b""
