"""The version of a user's class changes with all that it is made of, and with nothing else."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path

import pytest

from pulse_adapters.forecasters import source_version as subject
from pulse_adapters.forecasters.source_version import SourceVersion, source_version

_numbers = itertools.count()

CLASS = """
class Last:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon
"""
OTHER = "\nCHANGED = True\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for cached in (subject._distributions, subject._has_packages):
        cached.cache_clear()
    return tmp_path


@pytest.fixture
def name() -> str:
    """A name that no module of this process has."""
    return f"made_of_{next(_numbers)}"


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def version_of(module: str, kind: str = "Last") -> SourceVersion:
    importlib.invalidate_caches()
    imported = importlib.import_module(module)
    return source_version(getattr(imported, kind), imported)


def moves(folder: Path, module: str, path: str, text: str = OTHER) -> bool:
    """Whether the version moves when a file grows."""
    before = version_of(module).version
    (folder / path).write_text((folder / path).read_text() + text)
    after = version_of(module).version
    assert after == version_of(module).version
    return after != before


@pytest.mark.parametrize(
    "statement",
    [
        "import {name}_helper",
        "import {name}_helper as short",
        "from {name}_helper import CHANGED",
        "from {name}_helper import *",
        "try:\n    import {name}_helper\nexcept ImportError:\n    pass",
        "def later():\n    from {name}_helper import CHANGED",
        "import importlib\nhelper = importlib.import_module('{name}_helper')",
        "from {name}_between import x",
        "from {name}_package import module",
        "import {name}_package.module",
        "from {name}_package.inner.deep import x",
    ],
)
def test_a_module_that_is_imported_in_any_way_is_part_of_it(folder, name, statement) -> None:
    write(
        folder,
        {
            f"{name}.py": statement.format(name=name) + CLASS,
            f"{name}_helper.py": "CHANGED = False\n",
            f"{name}_between.py": f"import {name}_helper\nimport {name}\nx = 1\n",
            f"{name}_package/__init__.py": "",
            f"{name}_package/module.py": f"import {name}_helper\n",
            f"{name}_package/inner/__init__.py": "",
            f"{name}_package/inner/deep.py": "from ..module import *\nx = 1\n",
            f"{name}_unrelated.py": "",
        },
    )
    assert moves(folder, name, f"{name}_helper.py")
    assert moves(folder, name, f"{name}.py", "# a comment\n")
    assert not moves(folder, name, f"{name}_unrelated.py")


def test_each_file_of_a_package_that_is_on_the_way_is_part_of_it(folder, name) -> None:
    files = {
        f"{name}/__init__.py": "",
        f"{name}/models/__init__.py": "from .last import Last\n",
        f"{name}/models/last.py": "from ..base import Base\nfrom . import constants\nclass Last(Base):\n    pass\n",
        f"{name}/models/constants.py": "",
        f"{name}/base.py": "from .tools import deep\nfrom "
        + name
        + ".tools.deep import x\n"
        + CLASS[:-1]
        + "\nBase = Last\n",
        f"{name}/tools/__init__.py": "",
        f"{name}/tools/deep.py": "x = 1\n",
    }
    write(folder, {**files, f"{name}/unused.py": ""})
    assert all(moves(folder, f"{name}.models", path) for path in files)
    assert not moves(folder, f"{name}.models", f"{name}/unused.py")


def test_modules_that_import_one_another_end(folder, name) -> None:
    write(folder, {f"{name}.py": CLASS + f"import {name}_other\n", f"{name}_other.py": f"import {name}\n"})
    assert moves(folder, name, f"{name}_other.py")


def test_a_base_class_that_no_statement_names_is_part_of_it(folder, name) -> None:
    write(folder, {f"{name}_base.py": CLASS, f"{name}.py": "import importlib\n"})
    module = importlib.import_module(name)
    last = type("Last", (importlib.import_module(f"{name}_base").Last,), {"__module__": name})
    setattr(module, "Last", last)  # noqa: B010 - the checker of types knows no such attribute of a module
    assert moves(folder, name, f"{name}_base.py")


def test_a_namespace_package_has_no_file_and_its_modules_do(folder, name) -> None:
    write(folder, {f"{name}/last.py": f"from {name} import helper\n" + CLASS, f"{name}/helper.py": ""})
    assert moves(folder, f"{name}.last", f"{name}/helper.py")


def test_the_files_may_lie_anywhere(tmp_path, monkeypatch, name) -> None:
    versions = set()
    for place in ("a", "b"):
        write(tmp_path / place, {f"{name}.py": f"import {name}_helper\n" + CLASS, f"{name}_helper.py": ""})
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path / place)
            versions.add(version_of(name).version)
        for module in (name, f"{name}_helper"):
            sys.modules.pop(module)
    assert len(versions) == 1


def install(folder: Path, package: str, number: str) -> None:
    facts = folder / f"{package}.dist-info"
    write(folder, {f"{facts.name}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n"})
    (facts / "top_level.txt").write_text(package)


@pytest.mark.parametrize("statement", ["import {other}", "def f():\n    import {other}.inner", "from {other} import x"])
def test_of_an_installed_package_the_version_counts_and_not_the_files(
    folder, tmp_path_factory, name, statement
) -> None:
    packages = tmp_path_factory.mktemp("site")
    sys.path.append(str(packages))
    other = f"{name}_installed"
    write(packages, {f"{other}/__init__.py": "x = 1\n", f"{other}/inner.py": ""})
    install(packages, other, "1.0")
    write(folder, {f"{name}.py": statement.format(other=other) + CLASS})
    before = version_of(name).version
    assert not moves(packages, name, f"{other}/__init__.py")
    install(packages, other, "1.1")
    assert version_of(name).version != before


def test_the_class_s_own_package_is_followed_where_it_is_installed(folder, name) -> None:
    write(folder, {f"{name}/__init__.py": "", f"{name}/last.py": "from . import helper\n" + CLASS})
    write(folder, {f"{name}/helper.py": ""})
    install(folder, name, "1.0")
    assert moves(folder, f"{name}.last", f"{name}/helper.py")


def test_a_package_that_is_a_link_to_its_sources_is_followed(folder, tmp_path_factory, monkeypatch, name) -> None:
    packages = tmp_path_factory.mktemp("site")
    sources = tmp_path_factory.mktemp("sources")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.syspath_prepend(sources)  # what the .pth file of an editable installation does
    write(sources, {f"{name}_linked/__init__.py": ""})
    install(packages, f"{name}_linked", "1.0")
    write(folder, {f"{name}.py": f"import {name}_linked\n" + CLASS})
    assert moves(sources, name, f"{name}_linked/__init__.py")


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("def f(path):\n    return open(path).read()\n", ["a file that is read ({name}.py, line 2)"]),
        ("import numpy as np\ndef f(): return np.load('x')\n", ["a file that is read ({name}.py, line 2)"]),
        ("pd = None\ndef f(): pd.read_csv('x')\n", ["a file that is read ({name}.py, line 2)"]),
        (
            "import importlib\ndef f(x): importlib.import_module(x)\n",
            ["a module whose name is computed ({name}.py, line 2)"],
        ),
        (
            "from importlib import import_module as get\ndef f(x): get(x)\n",
            ["a module whose name is computed ({name}.py, line 2)"],
        ),
        ("def f(x): exec(x)\n", ["code that is computed ({name}.py, line 1)"]),
        ("run = exec\ndef f(x): run(x)\n", ["code that is computed ({name}.py, line 2)"]),
        ("import os\nX = os.environ.get('X', '1')\n", ["a variable of the environment ({name}.py, line 2)"]),
        ("import os\ndef f(): return os.environ['X']\n", ["a variable of the environment ({name}.py, line 2)"]),
        ("import os\nos.environ['OMP_NUM_THREADS'] = '1'\n", []),
        ("import sqlite3\ndef f(): sqlite3.connect('x')\n", ["a file that is read ({name}.py, line 2)"]),
        ("from subprocess import check_output as run\ndef f(): run(['x'])\n", ["another program ({name}.py, line 2)"]),
        ("def f(x): open(x, 'w').write('')\n", []),
        ("import json, math\n", []),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_line(folder, name, text, unseen) -> None:
    write(folder, {f"{name}.py": text + CLASS})
    assert version_of(name).unseen == tuple(what.format(name=name) for what in unseen)
    write(folder, {f"{name}_user.py": f"import {name}\nclass Last({name}.Last):\n    version = 7\n"})
    declared = version_of(f"{name}_user")
    assert declared.unseen == ()
    assert declared.version.startswith("7, sha256:")


@pytest.mark.parametrize(
    "text",
    [
        "from importlib import import_module as get\nget('{}')\n",
        "import builtins as b\nget = b.__import__\nget('{}')\n",
    ],
)
def test_an_import_under_another_name_is_followed(folder, name, text) -> None:
    write(folder, {f"{name}.py": text.format(f"{name}_helper") + CLASS, f"{name}_helper.py": ""})
    assert moves(folder, name, f"{name}_helper.py")


def test_a_module_without_a_file_is_told(folder, name) -> None:
    made = type(sys)(f"{name}_made")
    sys.modules[made.__name__] = made
    write(folder, {f"{name}.py": f"import {made.__name__}\n" + CLASS})
    assert version_of(name).unseen == (f"module '{made.__name__}', which has no file",)
    last = type("Last", (), {"__module__": made.__name__})
    with pytest.raises(ValueError, match="no file to tell versions by"):
        source_version(last, made)
