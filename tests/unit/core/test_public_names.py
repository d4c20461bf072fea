"""`import pulse_core` offers all that the signatures of its ports, classes and functions name, and nothing else."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import numpy.typing as npt
import pytest

import pulse_core

PUBLIC = {name: getattr(pulse_core, name) for name in pulse_core.__all__}
OF_NUMPY = {id(value) for value in vars(npt).values()}


def of_core(kind: object) -> bool:
    return str(getattr(kind, "__module__", "")).startswith("pulse_core")


def annotated(value: object) -> Iterator[FunctionType | type]:
    """A public class and its public methods, those of its bases in the core too; or a function."""
    if isinstance(value, FunctionType):
        yield value
    if not inspect.isclass(value):
        return
    for kind in filter(of_core, value.__mro__):
        yield kind
        for name, member in vars(kind).items():
            function = (
                member.fget if isinstance(member, property) else inspect.unwrap(getattr(member, "__func__", member))
            )
            # attrs writes __init__ from the fields, which are annotated themselves
            public = not name.startswith("_") or (name == "__init__" and not hasattr(kind, "__attrs_attrs__"))
            if public and isinstance(function, FunctionType):
                yield function


def types_in(hint: object) -> Iterator[type]:
    """The core's types of which a type is made."""
    kind = typing.get_origin(hint) or hint
    if inspect.isclass(kind) and of_core(kind):
        yield kind
    for part in typing.get_args(hint):
        for inner in part if isinstance(part, list | tuple) else [part]:
            yield from types_in(inner)


def hints(owner: FunctionType | type) -> Iterator[object]:
    """The types of a class's public fields, or of a function's arguments and result."""
    for name, hint in typing.get_type_hints(owner, localns=PUBLIC).items():
        if inspect.isfunction(owner) or not name.startswith("_"):
            yield hint


def aliases(owner: FunctionType | type) -> Iterator[str]:
    """The names of the core's own types of more than one word, such as `Columns`, as annotations write them."""
    scope = vars(inspect.getmodule(owner))
    for name, annotation in inspect.get_annotations(owner).items():
        if inspect.isclass(owner) and name.startswith("_"):
            continue
        for node in ast.walk(ast.parse(str(annotation), mode="eval")):
            value = scope.get(node.id) if isinstance(node, ast.Name) else None
            if typing.get_origin(value) is not None and id(value) not in OF_NUMPY:
                yield typing.cast("ast.Name", node).id


@pytest.mark.parametrize("name", PUBLIC)
def test_every_type_that_a_public_signature_names_is_public(name):
    value = PUBLIC[name]
    owners = list(annotated(value))
    types = {kind.__name__ for kind in types_in(value) if not inspect.isclass(value)}
    types |= {kind.__name__ for owner in owners for hint in hints(owner) for kind in types_in(hint)}
    names = types | {alias for owner in owners for alias in aliases(owner)}
    assert names <= set(PUBLIC)


def test_what_walks_the_signatures_sees_ports_records_and_columns():
    names = {
        kind.__name__ for owner in annotated(pulse_core.ResultSink) for hint in hints(owner) for kind in types_in(hint)
    }
    assert names >= {"VariableScores", "DataSnapshot", "PartFacts", "RunSpec"}
    assert "Recall" in {alias for owner in annotated(pulse_core.ResultSink) for alias in aliases(owner)}
    assert "RunResult" in {
        kind.__name__ for hint in hints(vars(pulse_core.RunFailed)["__init__"]) for kind in types_in(hint)
    }


def test_dir_shows_the_public_names_and_no_other():
    assert dir(pulse_core) == sorted(pulse_core.__all__)


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="no public name 'Nothing'"):
        getattr(pulse_core, "Nothing")  # noqa: B009  # a type checker knows that the name is none


def test_type_checkers_are_told_the_same_modules():
    tree = ast.parse(Path(str(pulse_core.__file__)).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert {node.module: tuple(alias.name for alias in node.names) for node in imports} == pulse_core._EXPORTS
    assert {*pulse_core._MODULES, "__version__"} == set(pulse_core.__all__)
