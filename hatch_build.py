"""Build hook: compiles the kernel, for a wheel into the wheel, for an editable install beside its sources.

    python hatch_build.py   # compiles the kernel beside its sources, without an installation

The compiler is $CC, or `cc`; where there is neither, the package `ziglang`, which the hook then asks for.
"""

from __future__ import annotations

import os
import platform
import runpy
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

KERNEL: Final = Path("src/pulse_core/kernel")
# -ffp-contract=off: a fused multiplication and addition rounds once where two operations round twice, and only some
# machines have it. -fno-math-errno: sqrt is an instruction. -Wno-psabi: no vector crosses a call between libraries.
FLAGS: Final = (
    "-std=gnu99", "-O3", "-ffp-contract=off", "-fno-fast-math", "-fno-math-errno", "-fPIC", "-shared",
    "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-psabi",
)  # fmt: skip
NO_LIBM: Final = ("-Wl,-z,defs",)
"""The linker then refuses what no library named here defines; macOS keeps libm in the C library."""

BUILDS: Final = {"kernel_baseline.so": (), "kernel_avx2.so": ("-mavx2",)}
X86_64: Final = {"x86_64", "amd64"}


class KernelBuild(BuildHookInterface[Any]):
    """Adds the compiled kernel to what hatchling builds."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build needs beside hatchling: a compiler, where the machine has none."""
        if machine_compiler():
            return []
        groups = tomllib.loads(Path(self.root, "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
        return list(groups["compiler"])

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernel and tell hatchling which files and which platform the wheel is of."""
        sources = Path(self.root, KERNEL)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        folder = sources if version == "editable" else Path(tempfile.mkdtemp(prefix="pulse-kernel-"))
        for name in compile_builds(sources, folder):
            if folder != sources:
                build_data["force_include"][str(folder / name)] = f"pulse_core/kernel/{name}"
        self.temporary = None if folder == sources else folder

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary)


def compile_builds(sources: Path, folder: Path) -> list[str]:
    """Compile every build that this machine's processor family has into a folder; return their names."""
    names = [name for name in BUILDS if not BUILDS[name] or platform.machine().lower() in X86_64]
    with tempfile.TemporaryDirectory(prefix="pulse-compiler-") as cache:
        for name in names:
            compile_kernel(sources, folder / name, BUILDS[name], cache)
    return names


def compile_kernel(sources: Path, library: Path, flags: Sequence[str], cache: str) -> None:
    """Compile all C files of a folder into a library, which appears whole or not at all. Raises RuntimeError.

    `cache` is where zig keeps what it has compiled of the C library; by default that is below the user's home.
    """
    digest = runpy.run_path(str(sources / "sources.py"))["digest"](sources)
    with tempfile.TemporaryDirectory(prefix=".pulse-compile-", dir=library.parent) as scratch:
        built = Path(scratch, library.name)
        files = [str(path) for path in sorted(sources.glob("*.c"))]
        system = () if sys.platform == "darwin" else NO_LIBM
        command = [*compiler(), *FLAGS, *flags, f'-DPULSE_SOURCES="{digest}"', *files, "-o", str(built), *system]
        caches = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        run = subprocess.run(command, env=os.environ | caches, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"the kernel does not compile: {shlex.join(command)}\n{run.stdout}{run.stderr}")
        built.replace(library)


def compiler() -> list[str]:
    """Return the command that compiles C: the machine's, or that of the package ziglang."""
    # without a target zig compiles for this very processor, which is not the one that will run it
    return machine_compiler() or [sys.executable, "-m", "ziglang", "cc", "-target", zig_target()]


def machine_compiler() -> list[str]:
    """Return $CC or `cc` where there is one, else nothing."""
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    return command if shutil.which(command[0]) else []


def zig_target() -> str:
    """Return the oldest processor and C library that a library built here should run on, in zig's words."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        return f"{machine}-macos"
    return f"{machine}-linux-{'musl' if 'musl' in str(sysconfig.get_config_var('HOST_GNU_TYPE')) else 'gnu.2.17'}"


def platform_tag() -> str:
    """Return the platform of this machine as wheels name it, without a claim to run on others."""
    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))


if __name__ == "__main__":
    compile_builds(Path(__file__).parent / KERNEL, Path(__file__).parent / KERNEL)
