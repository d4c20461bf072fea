"""The import statements of a module's source, and what in it may change its results without a change of any source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

_FILE: Final = "a file that is read"
_COMPUTED_NAME: Final = "a module whose name is computed"
_COMPUTED_CODE: Final = "code that is computed"
_ENVIRONMENT: Final = "a variable of the environment"
_PROGRAM: Final = "another program"
_IMPORTERS: Final = frozenset({"import_module", "__import__"})
_EVALUATORS: Final = frozenset({"exec", "eval", "run_path", "run_module", "spec_from_file_location"})
_READERS: Final = frozenset(
    {"open", "read_text", "read_bytes", "load", "loadtxt", "genfromtxt", "fromfile", "memmap"}
    | {"connect", "getline", "getlines"}
)
_PROGRAMS: Final = frozenset({"check_output", "Popen", "popen", "getoutput"})
_WRITING: Final = frozenset(mode + kind for mode in "wax" for kind in ("", "b", "t"))


@attrs.frozen
class ImportStatements:
    """The full names of what a module imports, anywhere in it, and what it uses that is no import, with its line.

    Some of the names may be those of attributes and not of modules.
    """

    names: tuple[str, ...] = ()
    unseen: tuple[tuple[str, int], ...] = ()


def import_statements(source: bytes, package: str) -> ImportStatements:
    """Return those of a module's source, where relative names begin in `package`; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ImportStatements()
    names: dict[str, None] = {}
    unseen: list[tuple[str, int]] = []
    aliases = dict(_aliases(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names |= dict.fromkeys(_from_names(node, package))
        elif isinstance(node, ast.Call):
            name, what = _called(node, package, aliases)
            names |= {name: None} if name else {}
            unseen += [(what, node.lineno)] if what else []
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _last(node.value) == "environ":
            unseen.append((_ENVIRONMENT, node.lineno))
    return ImportStatements(tuple(names), tuple(sorted(unseen, key=lambda use: use[1])))


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the other names that a module gives to functions, each with their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Name):
            yield from ((target.id, _last(node.value)) for target in node.targets if isinstance(target, ast.Name))


def _last(node: ast.expr) -> str:
    """Return the last name of `a.b.c`; empty for other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _from_names(node: ast.ImportFrom, package: str) -> Iterator[str]:
    """Yield the module, and each of its names, which may be a module too."""
    module = _absolute("." * node.level + (node.module or ""), package)
    if module:
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names if alias.name != "*")


def _absolute(name: str, package: str) -> str:
    """Return a name, relative to a package where it begins with dots; empty where it leads out of all packages."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = package.split(".")
    above = parts[: len(parts) - level + 1]
    return ".".join([*above, name[level:]]).rstrip(".") if package and above else ""


def _called(node: ast.Call, package: str, aliases: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of the module that a call imports, and in what way it uses what cannot be seen; or empty."""
    function = _last(node.func)
    if isinstance(node.func, ast.Name):
        function = aliases.get(function, function)
    if function in _IMPORTERS:
        name = _text(node.args[0]) if node.args else None
        return ("", _COMPUTED_NAME) if name is None else (_absolute(name, package), "")
    if function in _EVALUATORS:
        return "", _COMPUTED_CODE
    if function == "getenv" or (isinstance(node.func, ast.Attribute) and _last(node.func.value) == "environ"):
        return "", _ENVIRONMENT if function in {"get", "getenv"} else ""
    if function in _PROGRAMS:
        return "", _PROGRAM
    if (function in _READERS or function.startswith("read_")) and not (function == "open" and _writes(node)):
        return "", _FILE
    return "", ""


def _writes(node: ast.Call) -> bool:
    """Whether it opens a file only to write: the mode is the second argument, of a method `open` the first."""
    positional = node.args[:2] if isinstance(node.func, ast.Attribute) else node.args[1:2]
    modes = [*positional, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    return any(_text(mode) in _WRITING for mode in modes)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
