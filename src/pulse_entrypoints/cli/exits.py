"""How a command may end: the exit status, and what is said on stderr."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final

import attrs

from pulse_core.errors import PulseError, RunFailed, SettingsError
from pulse_core.results import Failure, RunResult

SHOWN: Final = 20
MEND_ALL: Final = "Mend them and run the same command again."
MEND_SOME: Final = (
    "Mend them, or publish the others with --keep-going. What succeeded is recorded and is not computed again."
)
NOT_ALL: Final = "Mend them, or see the others with --skip-failed."
AGAIN: Final = "The same command again resumes."


class Exit(IntEnum):
    """The exit status. 75 is EX_TEMPFAIL of sysexits.h: run again."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    SKILL_LOST = 4
    INTERRUPTED = 75


@attrs.frozen
class Ending:
    """An exit status and the report that goes with it: a title, a bullet a problem, the mend.

    `kinds` are those of the failures that ended it.
    """

    status: Exit
    title: str = ""
    problems: Sequence[str] = ()
    hint: str = ""
    kinds: frozenset[str] = frozenset()

    def report(self, width: int | None) -> str:
        """Lay the report out in lines of at most `width`, or one line a paragraph."""
        lines = [
            _filled(self.title, "", width),
            *(_filled(problem, "  - ", width) for problem in self.problems),
            _filled(self.hint, "", width),
        ]
        return "\n".join(line for line in lines if line)


def failed(error: PulseError, command: str = "pulse train") -> Ending:
    """End with 2 for what is wrong with the command, with 1 for what is wrong with data, places or engines."""
    if isinstance(error, SettingsError):
        count = len(error.problems)
        title = "the settings cannot be used" if count == 1 else f"{count} problems with the settings"
        return Ending(Exit.USAGE, f"pulse: {title}", error.problems, f"All options: {command} --help")
    if isinstance(error, RunFailed):
        title = f"pulse: {error.message}; nothing was published"
        hint, kinds = MEND_SOME if error.result.variables else MEND_ALL, {failure.kind for failure in error.failures}
        return Ending(Exit.FAILED, title, _told(error.failures), hint, frozenset(kinds))
    place = f"{error.context}: " if error.context else ""
    hint = f"{error.hint}." if error.hint else ""
    title = "the run failed" if command == "pulse train" else f"{command.removeprefix('pulse ')} failed"
    return Ending(Exit.FAILED, f"pulse: {title}", [f"{place}{error.message}"], hint)


def unexpected(error: Exception, log_file: Path) -> Ending:
    """End with 1 on what is nobody's fault but the program's."""
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    return Ending(Exit.FAILED, f"pulse: unexpected {message} (traceback in {log_file})")


def interrupted(message: str, finished: int, planned: int, counted: str) -> Ending:
    """End with 75, saying why; `counted` says what was planned and finished: variables, or steps."""
    done = f"{finished} of {planned} {counted} are done and recorded" if planned else "nothing had begun"
    return Ending(Exit.INTERRUPTED, f"pulse: interrupted: {message}; {done}. {AGAIN}")


def completed(result: RunResult) -> Ending:
    """End with 0, or with 3 where some variables failed and the others were published all the same."""
    if not result.failures:
        return Ending(Exit.DONE)
    title = f"pulse: finished without {len(result.failures)} of {result.units.planned} variables"
    return Ending(Exit.PARTLY, title, _told(result.failures), MEND_ALL)


def slice_completed(result: RunResult, place: str, share: tuple[int, int], counted: str) -> Ending:
    """End as `completed`, saying that nothing is published and how to collect."""
    index, count = share
    done = result.units.recalled + result.units.computed
    ending = completed(result)
    hint = (
        f"Slice {index}/{count}: {done} {counted} are recorded in {place}; nothing is published. When all {count} "
        "slices are done, the same command without --slice collects and publishes them."
    )
    return attrs.evolve(ending, hint=hint)


def answered(failures: Sequence[Failure], *, keep_going: bool, hint: str = NOT_ALL) -> Ending:
    """End a command that answers at once with 0, or where variables failed with 1, or 3 if told to keep going."""
    if not failures:
        return Ending(Exit.DONE)
    count = f"{len(failures)} {'failure' if len(failures) == 1 else 'failures'}"
    if keep_going:
        return Ending(Exit.PARTLY, f"pulse: finished with {count}", _told(failures), "")
    return Ending(Exit.FAILED, f"pulse: {count}", _told(failures), hint)


def _told(failures: Iterable[Failure]) -> list[str]:
    """Tell failures, those that share a cause in one bullet; of very many the first, for the log has all."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for failure in failures:
        causes.setdefault((failure.context, failure.message, failure.hint), []).append(failure.variable)
    bullets = [_cause(variables, *cause) for cause, variables in causes.items()]
    more = len(bullets) - SHOWN
    return bullets if more <= 0 else [*bullets[:SHOWN], f"and {more} more; the log file has all"]


def _cause(variables: Sequence[str], context: str, message: str, hint: str) -> str:
    place = f"{context}: " if context else ""
    return f"{', '.join(variables)}: {place}{message}.{f' {hint}.' if hint else ''}"


def _filled(text: str, bullet: str, width: int | None) -> str:
    if width is None or not text:
        return f"{bullet}{text}"
    return textwrap.fill(
        text,
        width,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )
