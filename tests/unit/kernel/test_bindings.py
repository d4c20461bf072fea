"""How the kernel is loaded, and what it says where it cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hatchling.builders.wheel import WheelBuilder

import hatch_build
from pulse_core.errors import KernelUnavailable
from pulse_core.kernel import bindings
from pulse_core.kernel.sources import digest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the kernel's folder, from which the bindings load."""
    copy = tmp_path / "kernel"
    shutil.copytree(Path(bindings.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bindings, "files", lambda _: copy)
    return copy


def test_the_library_is_loaded_once():
    assert bindings.library() is bindings.library()


def test_a_library_that_was_built_from_these_sources_is_loaded(folder):
    assert bindings._built_from(bindings._open(bindings.BASELINE)) == digest(folder)


def test_a_missing_library_is_named_with_what_to_do(folder):
    (folder / bindings.BASELINE).unlink()
    with pytest.raises(KernelUnavailable, match=r"kernel_baseline.so: the compiled kernel is missing\. .*make run"):
        bindings._open(bindings.BASELINE)


@pytest.mark.parametrize("source", ["special.c", "kernel.h"])
def test_a_library_that_was_built_from_other_sources_is_refused(folder, source):
    (folder / source).write_text((folder / source).read_text() + "\n")
    with pytest.raises(KernelUnavailable, match="compiled from other sources"):
        bindings._open(bindings.BASELINE)


def test_a_new_source_makes_another_library(folder):
    (folder / "another.c").touch()
    with pytest.raises(KernelUnavailable, match="compiled from other sources"):
        bindings._open(bindings.BASELINE)


def test_an_installed_library_without_sources_is_loaded(folder):
    for source in [*folder.glob("*.c"), *folder.glob("*.h")]:
        source.unlink()
    assert digest(folder) == ""
    bindings._open(bindings.BASELINE)


def test_what_is_no_library_is_named_with_what_to_do(folder):
    (folder / bindings.BASELINE).write_bytes(b"no library")
    with pytest.raises(KernelUnavailable, match="cannot be loaded"):
        bindings._open(bindings.BASELINE)


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 4))[:, :2], np.zeros((2, 2), dtype=np.float32)])
def test_an_array_of_another_shape_or_kind_never_reaches_the_kernel(array):
    with pytest.raises(ValueError, match="expected a contiguous array of float64"):
        bindings.doubles(array, 2, 2)


def test_positions_are_whole_numbers():
    assert bindings.positions(np.zeros(2, dtype=np.int64), 2)
    with pytest.raises(ValueError, match="expected a contiguous array of int64"):
        bindings.positions(np.zeros(2, dtype=np.int32), 2)


@pytest.fixture
def hook(tmp_path):
    """The build hook, as hatchling would make it."""
    root = str(Path(hatch_build.__file__).parent)
    builder = WheelBuilder(root)
    return hatch_build.KernelBuild(root, {}, builder.config, builder.metadata, str(tmp_path), "wheel")


@pytest.mark.parametrize(("variable", "command"), [("sh -e", ["sh", "-e"]), ("no-such-compiler", [])])
def test_the_compiler_that_the_environment_names_is_used(monkeypatch, variable, command):
    monkeypatch.setenv("CC", variable)
    assert hatch_build.machine_compiler() == command


def test_without_a_compiler_the_build_asks_for_one_and_compiles_for_any_processor(monkeypatch, hook):
    monkeypatch.setenv("CC", "no-such-compiler")
    (requirement,) = hook.dependencies()
    assert requirement.startswith("ziglang")
    assert hatch_build.compiler()[1:5] == ["-m", "ziglang", "cc", "-target"]


def test_with_a_compiler_the_build_asks_for_nothing(monkeypatch, hook):
    monkeypatch.setenv("CC", "sh")
    assert hook.dependencies() == []


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_the_wheel_bears_its_platform_and_holds_what_was_compiled(monkeypatch, hook, version):
    def compiled(sources, folder):
        assert (folder == sources) == (version == "editable")
        return list(hatch_build.BUILDS)

    monkeypatch.setattr(hatch_build, "compile_builds", compiled)
    build: dict[str, Any] = {"force_include": {}}
    hook.initialize(version, build)
    hook.finalize(version, build, "")
    packed = (
        [] if version == "editable" else ["pulse_core/kernel/kernel_baseline.so", "pulse_core/kernel/kernel_avx2.so"]
    )
    assert list(build["force_include"].values()) == packed
    assert build["pure_python"] is False
    assert build["tag"].startswith("py3-none-")
    assert not build["tag"].endswith("any")
