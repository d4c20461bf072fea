"""Endings of commands: the exit status, and the report on stderr."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final

import attrs

from pulse_core.errors import PulseError, RunFailed, SettingsError
from pulse_core.results import Failure, RunResult

MAX_PROBLEMS: Final = 20
HINT_ALL: Final = "Correct them and run the same command again."
HINT_SOME: Final = (
    "Correct them, or publish the others with --keep-going. What succeeded is recorded and is not computed again."
)
HINT_SKIP: Final = "Correct them, or see the others with --skip-failed."
HINT_RESUME: Final = "The same command again resumes."


class OutputUnavailable(PulseError):
    """stdout cannot take the answer of a command."""

    @classmethod
    def because(cls, failure: str) -> OutputUnavailable:
        """Return the error for what the system says."""
        hint = "Make room there, raise the limit on the size of files (ulimit -f), or write to another file"
        return cls(f"cannot be written: {failure}", "stdout", hint)


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
    """An exit status and the report that goes with it: a title, a bullet a problem, a hint.

    `kinds` are the kinds of the failures that ended the command.
    """

    status: Exit
    title: str = ""
    problems: Sequence[str] = ()
    hint: str = ""
    kinds: frozenset[str] = frozenset()

    def report(self, width: int | None) -> str:
        """Lay the report out in lines of at most `width`, or one line a paragraph."""
        lines = [
            _wrapped(self.title, "", width),
            *(_wrapped(problem, "  - ", width) for problem in self.problems),
            _wrapped(self.hint, "", width),
        ]
        return "\n".join(line for line in lines if line)


def failed(error: PulseError, command: str = "pulse train") -> Ending:
    """End with 2 for a fault of the command, with 1 for one of data, storage or backend."""
    if isinstance(error, SettingsError):
        count = len(error.problems)
        title = "the settings cannot be used" if count == 1 else f"{count} problems with the settings"
        return Ending(Exit.USAGE, f"pulse: {title}", error.problems, f"All options: {command} --help")
    if isinstance(error, RunFailed):
        title = f"pulse: {error.message}; nothing was published"
        hint, kinds = HINT_SOME if error.result.variables else HINT_ALL, {failure.kind for failure in error.failures}
        return Ending(Exit.FAILED, title, _bullets(error.failures), hint, frozenset(kinds))
    context = f"{error.context}: " if error.context else ""
    hint = f"{error.hint}." if error.hint else ""
    title = "the run failed" if command == "pulse train" else f"{command.removeprefix('pulse ')} failed"
    return Ending(Exit.FAILED, f"pulse: {title}", [f"{context}{error.message}"], hint)


def unexpected(error: BaseException, log_file: Path) -> Ending:
    """End with 1 for an error in the program itself."""
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    return Ending(Exit.FAILED, f"pulse: unexpected {message} (traceback in {log_file})")


def interrupted(message: str, finished: int, planned: int, counted: str) -> Ending:
    """End with 75 for the reason in `message`; `counted` is the noun of the numbers: variables, or steps."""
    progress = f"{finished} of {planned} {counted} are done and recorded" if planned else "nothing had begun"
    return Ending(Exit.INTERRUPTED, f"pulse: interrupted: {message}; {progress}. {HINT_RESUME}")


def completed(result: RunResult) -> Ending:
    """End with 0, or with 3 where some variables failed and the others were published all the same."""
    if not result.failures:
        return Ending(Exit.DONE)
    title = f"pulse: finished without {len(result.failures)} of {result.units.planned} variables"
    return Ending(Exit.PARTLY, title, _bullets(result.failures), HINT_ALL)


def slice_completed(result: RunResult, location: str, share: tuple[int, int], counted: str) -> Ending:
    """End as `completed`, with the hint that nothing is published yet, and how to collect."""
    index, count = share
    recorded = result.units.recalled + result.units.computed
    ending = completed(result)
    nouns = f"{counted.removesuffix('s')} is" if recorded == 1 else f"{counted} are"
    hint = (
        f"Slice {index}/{count}: {recorded} {nouns} recorded in {location}; nothing is published. When all "
        f"{count} slices are done, the same command without --slice collects and publishes them."
    )
    return attrs.evolve(ending, hint=hint)


def ending_of(failures: Sequence[Failure], *, keep_going: bool, hint: str = HINT_SKIP) -> Ending:
    """End a command that prints a result and writes no log: with 0, failures with 1, under `keep_going` with 3."""
    if not failures:
        return Ending(Exit.DONE)
    count = f"{len(failures)} {'failure' if len(failures) == 1 else 'failures'}"
    if keep_going:
        return Ending(Exit.PARTLY, f"pulse: finished with {count}", _bullets(failures, logged=False), "")
    return Ending(Exit.FAILED, f"pulse: {count}", _bullets(failures, logged=False), hint)


def _bullets(failures: Iterable[Failure], *, logged: bool = True) -> list[str]:
    """Return a bullet a cause, with its variables; of very many the first, for a log, where one is written, has all."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for failure in failures:
        causes.setdefault((failure.context, failure.message, failure.hint), []).append(failure.variable)
    bullets = [_bullet(variables, *cause) for cause, variables in causes.items()]
    hidden = len(bullets) - MAX_PROBLEMS
    more = f"and {hidden} more{'; the log file has all' if logged else ''}"
    return bullets if hidden <= 0 else [*bullets[:MAX_PROBLEMS], more]


def _bullet(variables: Sequence[str], context: str, message: str, hint: str) -> str:
    prefix = f"{context}: " if context else ""
    return f"{', '.join(variables)}: {prefix}{message}.{f' {hint}.' if hint else ''}"


def _wrapped(text: str, bullet: str, width: int | None) -> str:
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
