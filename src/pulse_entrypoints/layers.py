"""The layers of settings: command line, environment, TOML file, default. All are read, all problems kept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_entrypoints.options import FLAG, Option
from pulse_entrypoints.settings import OPTIONS, Settings

_BY_NAME: Final = {option.name: option for option in OPTIONS}
_KEYS: Final = tuple(name for name in _BY_NAME if name != "config")
_FLAGS: Final = tuple(option.flag for option in OPTIONS)


@attrs.define
class CommandLine:
    """What was typed: the values of each option by its name, and what is no option at all."""

    values: dict[str, list[str]] = attrs.field(factory=dict)
    unknown: list[str] = attrs.field(factory=list)


@attrs.frozen
class Layered:
    """Settings, where each value came from (for messages), and the problems of all layers.

    An option with a problem has its default in `settings`, and its name in `broken`.
    """

    settings: Settings
    sources: Mapping[str, str]
    problems: tuple[str, ...]
    broken: frozenset[str]

    def source(self, name: str) -> str:
        """Return how messages call an option: as it was given, or its command line form where it was not."""
        return self.sources.get(name, _BY_NAME[name].flag)


def layered(command_line: CommandLine, environment: Mapping[str, str]) -> Layered:
    """Read all layers; what stands further left in "command line, environment, file, default" wins."""
    reader = _Reader()
    reader.read_command_line(command_line)
    reader.read_environment(environment)
    reader.read_file()
    return reader.finish()


@attrs.define
class _Reader:
    values: dict[str, Any] = attrs.field(factory=dict)
    sources: dict[str, str] = attrs.field(factory=dict)
    problems: list[str] = attrs.field(factory=list)
    broken: set[str] = attrs.field(factory=set)

    def read_command_line(self, command_line: CommandLine) -> None:
        self.problems.extend(unknown_options(command_line.unknown))
        for name, texts in command_line.values.items():
            option = _BY_NAME[name]
            self._take(option, option.flag, option.kind.of_text, texts)

    def read_environment(self, environment: Mapping[str, str]) -> None:
        for option in OPTIONS:
            if option.environment in environment:
                text = environment[option.environment]
                texts = text.split() if option.kind.many else [text]
                self._take(option, f"{option.environment} in the environment", option.kind.of_text, texts)

    def read_file(self) -> None:
        path = self.values.get("config")
        if path is None:
            return
        try:
            document = _document(path)
        except ValueError as error:
            self.problems.append(f"{self.sources['config']}: {error}")
            return
        for key, value in document.items():
            option = _BY_NAME.get(key)
            if option is None or key not in _KEYS:
                self.problems.append(f"{path}: {_unknown_key(key)}")
            else:
                self._take(option, f"{path}: {key}", option.kind.of_toml, value)

    def finish(self) -> Layered:
        return Layered(Settings(**self.values), self.sources, tuple(self.problems), frozenset(self.broken))

    def _take(self, option: Option, source: str, read: Any, raw: object) -> None:
        """Judge a value even where a stronger layer hides it: a mistake there should not lie in wait."""
        try:
            value = read(raw)
        except ValueError as error:
            self.problems.append(f"{source}: {error}")
            self.broken.add(option.name)
            return
        if option.name not in self.sources:
            self.values[option.name] = value
            self.sources[option.name] = source


def unknown_options(words: Sequence[str]) -> Iterator[str]:
    """Say of words on the command line that belong to no option what may have been meant."""
    expected = False
    for word in words:
        if word.startswith("-"):
            expected = True
            name = word.split("=", 1)[0]
            near = get_close_matches(name.lower().replace("_", "-"), _FLAGS, n=1)
            hint = f"did you mean {near[0]}?" if near else "pulse train --help lists them"
            yield f"{name}: no such option; {hint}"
        elif expected:
            expected = False  # it is the value of the unknown option before it
        else:
            yield f"'{word}': belongs to no option; variables are named with --variables"


def _unknown_key(key: str) -> str:
    near = get_close_matches(key.lower().replace("-", "_"), _KEYS, n=1)
    return f"{key}: no such key{f'; did you mean {near[0]}?' if near else ''}"


def _document(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds. Raises ValueError that names the file and its fault."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error


def is_flag(option: Option) -> bool:
    """Whether an option stands on the command line without a value."""
    return option.kind is FLAG
