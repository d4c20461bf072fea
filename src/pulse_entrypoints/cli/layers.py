"""The layers of settings: command line, environment, TOML file, default. All are read, and all problems reported."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import attrs

from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.commands import all_options
from pulse_entrypoints.cli.options import Option, options_of

_REPLACED: Final = {"trust_decay": "trust_half_life"}
"""Options of earlier versions, and what took their place: other values, so that none is taken for the other."""

_PREFIX: Final = "PULSE_"
_NEAR: Final = 0.75
_OF_OTHERS: Final = frozenset(
    f"PULSE_{name}"
    for name in ("SERVER", "SINK", "SOURCE", "BINARY", "CLIENTCONFIG", "CONFIG_PATH", "STATE_PATH", "RUNTIME_PATH")
) | frozenset(f"PULSE_{name}" for name in ("COOKIE", "DLPATH", "LATENCY_MSEC", "LOG", "PROP", "SCRIPT", "NO_SIMD"))
"""Variables of PulseAudio (pulseaudio(1) and its source)."""

S = TypeVar("S", bound=attrs.AttrsInstance)
S_co = TypeVar("S_co", bound=attrs.AttrsInstance, covariant=True)


@attrs.frozen
class Layered(Generic[S_co]):
    """Settings, where each value came from (for messages), and the problems of all layers.

    An option with a problem has its default in `settings`, and its name is in `broken`.
    """

    settings: S_co
    sources: Mapping[str, str]
    problems: tuple[str, ...]
    broken: frozenset[str]
    name_of: Callable[[str], str] = attrs.field(default=CommandLine().name_of, eq=False, repr=False)

    def source(self, name: str) -> str:
        """Return the name of an option for messages: where its value came from, or else as the user would give it."""
        return self.sources.get(name, self.name_of(name))


def read_settings(command_line: CommandLine, environment: Mapping[str, str], settings: type[S]) -> Layered[S]:
    """Read all layers. The command line beats the environment, the environment the file, the file the default."""
    reader = _Reader(command_line, {option.name: option for option in options_of(settings)})
    reader.read_command_line()
    reader.read_arguments()
    reader.read_environment(environment)
    reader.read_file()
    reader.resolve_alternatives()
    reader.report_missing()
    return Layered(
        settings(**reader.values),
        reader.sources,
        tuple(reader.problems),
        frozenset(reader.broken),
        command_line.name_of,
    )


@attrs.define
class _Reader:
    command_line: CommandLine
    options: Mapping[str, Option]
    values: dict[str, Any] = attrs.field(factory=dict)
    sources: dict[str, str] = attrs.field(factory=dict)
    problems: list[str] = attrs.field(factory=list)
    broken: set[str] = attrs.field(factory=set)
    layers: dict[str, int] = attrs.field(factory=dict)
    layer: int = 0

    def read_command_line(self) -> None:
        words = list(self._bare_words())
        values = {name: list(texts) for name, texts in self.command_line.values.items()}
        for option in self.options.values():
            if option.operand and option.name not in values and words:
                count = len(words) if option.kind.many else 1
                values[option.name], words = words[:count], words[count:]
        self.problems.extend(self._surplus(word) for word in words)
        for name, texts in values.items():
            option = self.options[name]
            self._set(option, option.flag, option.kind.of_text, texts)

    def read_arguments(self) -> None:
        """Read the arguments of a call in Python, which take the place of a command line; None is no value."""
        for name, value in (self.command_line.arguments or {}).items():
            if value is not None:
                self._set(self.options[name], name, self.options[name].kind.of_python, value)

    def _bare_words(self) -> Iterator[str]:
        """Yield the words that may be operands; report unknown options, whose value is the next word."""
        value_expected = False
        for word in self.command_line.words:
            if word.startswith("-") and word != "-":
                value_expected = True
                self.problems.append(self._unknown(word.split("=", 1)[0]))
            elif value_expected:
                value_expected = False
            else:
                yield word

    def _unknown(self, name: str) -> str:
        replacement = _REPLACED.get(name.lower().removeprefix("--").replace("-", "_"), "")
        if replacement in self.options:
            return f"{name}: no such option any more; {self.options[replacement].flag} takes its place"
        flags = [option.flag for option in self.options.values()]
        near = get_close_matches(name.lower().replace("_", "-"), flags, n=1)
        hint = f"did you mean {near[0]}?" if near else f"{self.command_line.command} --help lists them"
        return f"{name}: no such option; {hint}"

    def _surplus(self, word: str) -> str:
        hint = "; variables are named with --variables" if "variables" in self.options else ""
        return f"'{word}': belongs to no option{hint}"

    def read_environment(self, environment: Mapping[str, str]) -> None:
        self.layer += 1
        for option in self.options.values():
            if option.environment in environment:
                text = environment[option.environment]
                texts = text.split() if option.kind.many else [text]
                self._set(option, f"{option.environment} in the environment", option.kind.of_text, texts)
        self.problems.extend(_misspelt(environment))
        for name, replacement in _REPLACED.items():
            old = f"PULSE_{name.upper()}"
            if old in environment and replacement in self.options:
                self.problems.append(
                    f"{old} in the environment: no such variable any more; {self.options[replacement].environment} "
                    "takes its place"
                )

    def read_file(self) -> None:
        self.layer += 1
        path = self.values.get("config")
        if path is None:
            return
        try:
            document = _document(path)
        except ValueError as error:
            self.problems.append(f"{self.sources['config']}: {error}")
            return
        for key, value in document.items():
            option = None if key == "config" else self.options.get(key)
            if option is not None:
                self._set(option, f"{path}: {key}", option.kind.of_toml, value)
            elif key == "config" or key not in all_options():  # one file serves all commands
                self.problems.append(f"{path}: {_unknown_key(key)}")

    def resolve_alternatives(self) -> None:
        """Of an option and its alternative (`instead_of`) keep the one in the stronger layer."""
        for option in self.options.values():
            name, other = option.name, option.instead_of
            if name not in self.values or other not in self.values:
                continue
            if self.layers[name] == self.layers[other]:
                self.problems.append(f"{self.sources[name]}: replaces {self.sources[other]}; give one of them")
            weaker = other if self.layers[name] <= self.layers[other] else name
            del self.values[weaker], self.sources[weaker]

    def report_missing(self) -> None:
        for option in self.options.values():
            if option.required and option.name not in self.sources and option.name not in self.broken:
                message = option.kind.metavar if option.operand else option.flag
                self.problems.append(f"{message}: is missing; {self.command_line.command} --help explains it")

    def _set(self, option: Option, source: str, convert: Any, raw: object) -> None:
        """Set a value. It is validated even where a stronger layer hides it, for the mistake would show up later."""
        try:
            value = convert(raw)
        except ValueError as error:
            self.problems.append(f"{source}: {error}")
            self.broken.add(option.name)
            return
        if option.name not in self.sources:
            self.values[option.name] = value
            self.sources[option.name] = source
            self.layers[option.name] = self.layer


def _misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each variable of the environment that is nearly one of ours.

    Only near ones: PulseAudio, for one, has variables of the same prefix.
    """
    names = [name for name in sorted(environment) if name.upper().startswith(_PREFIX) and name not in _OF_OTHERS]
    if not names:
        return  # before the options of all commands are loaded
    known = {option.environment for option in all_options().values()}
    ours = {name.removeprefix(_PREFIX): name for name in known if name.startswith(_PREFIX)}
    for name in names:
        word = name.upper().removeprefix(_PREFIX)
        if name in known or word.lower() in _REPLACED:
            continue
        near = get_close_matches(word, ours, n=1, cutoff=_NEAR)
        if near:
            yield f"{name} in the environment: no such variable; did you mean {ours[near[0]]}?"


def _unknown_key(key: str) -> str:
    replacement = _REPLACED.get(key.lower().replace("-", "_"))
    if replacement is not None:
        return f"{key}: no such key any more; {replacement} takes its place"
    keys = [name for name in all_options() if name != "config"]
    near = get_close_matches(key.lower().replace("-", "_"), keys, n=1)
    return f"{key}: no such key{f'; did you mean {near[0]}?' if near else ''}"


def _document(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file. Raises ValueError that names the file and its fault."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
