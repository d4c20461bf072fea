"""README.md and the pages of docs/, run as a reader would run them. docs/contributing.md tells writers the rules."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.integration.cli import environment

ROOT: Final = Path(__file__).parents[2]
RUN: Final = ("python", "shell")
SHOWN: Final = ("csv", "dockerfile", "html", "ini", "json", "text", "toml", "yaml")
MARKS: Final = ("exit", "file", "output", "page-run-by", "run-by")
MY_FOLDER: Final = {"sales": 100.0, "stock": 50.0}

_MARK = re.compile(r"<!-- ([a-z-]+): (.+?) -->")
_STRICT = "set -euo pipefail\n"
# Tests may themselves run under make: a page's `make test` is only asked for its recipe, which must exist.
_DRY_MAKE = f'make() {{ command make --dry-run --directory "{ROOT}" "$@" > /dev/null; }}\n'


@attrs.frozen
class Block:
    """A fenced block: where it stands, its language, its text, and the marks in the comments just above it."""

    page: Path
    line: int
    language: str
    text: str
    marks: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return README.md and every page of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the page's fenced blocks, in order; MyST directives are none."""
    return list(_blocks(page, _parsed(page)))


def run_by(page: Path) -> str | None:
    """Return the test that runs the whole page elsewhere, if a comment on the page names one."""
    comments = [mark for token in _parsed(page) if token.type == "html_block" for mark in _MARK.findall(token.content)]
    return dict(comments).get("page-run-by")


def _parsed(page: Path) -> list[Token]:
    return MarkdownIt().parse(page.read_text(encoding="utf-8"))


def _blocks(page: Path, tokens: list[Token]) -> Iterator[Block]:
    marks: dict[str, str] = {}
    for token in tokens:
        if token.type == "html_block":
            marks |= dict(_MARK.findall(token.content))
            continue
        if token.type == "fence" and token.map is not None and not token.info.startswith("{"):
            yield Block(page, token.map[0] + 1, token.info, token.content, marks)
        marks = {}


def furnish(folder: Path) -> None:
    """Give a page's folder what pages take for granted: the environment in .venv, data in my_folder, a file of FRED."""
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "my_folder").mkdir()
    for name, level in MY_FOLDER.items():
        rows = "\n".join(f"{2018 + month // 12}-{month % 12 + 1:02}-15,{level + month % 7}" for month in range(72))
        (folder / "my_folder" / f"{name}.csv").write_text(f"timestamp,value\n{rows}\n", encoding="utf-8")
    months = [f"{year}-{month:02}-01" for year in range(1990, 2026) for month in range(1, 13)]
    unemployment = (f"{month},{5 + (number % 97) / 40:.1f}" for number, month in enumerate(months))
    (folder / "UNRATE.csv").write_text("\n".join(["observation_date,UNRATE", *unemployment, ""]), encoding="utf-8")


def run_page(page: Path, folder: Path, env: Mapping[str, str] | None = None) -> list[tuple[Block, str]]:
    """Run the page's blocks in order, in a furnished folder; return what each printed.

    Blocks that another test runs are left out, save where the whole page is marked so: then it is that test that calls.
    Raises AssertionError for the first block that does not end, or print, as the page says.
    """
    printed = []
    for block in blocks(page):
        if "file" in block.marks:
            _write(block, folder)
        elif block.language in RUN and "run-by" not in block.marks:
            printed.append((block, _run(block, folder, env or {})))
        elif "output" in block.marks:
            assert block.text.rstrip() == printed[-1][1].rstrip(), f"{block} is not what was printed"
    return printed


def _write(block: Block, folder: Path) -> None:
    path = folder / block.marks["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def _run(block: Block, folder: Path, env: Mapping[str, str]) -> str:
    # any free port for Dask's dashboard: another cluster of this machine may have the usual one
    surroundings = environment(PULSE_DASK_DASHBOARD_PORT="0", **env)
    surroundings["PATH"] = f"{Path(sys.prefix) / 'bin'}:{surroundings['PATH']}"
    python = [sys.executable, "-c", block.text]
    bash = [str(shutil.which("bash")), "-c", _STRICT + _DRY_MAKE + block.text]
    done = subprocess.run(
        python if block.language == "python" else bash,
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    expected = int(block.marks.get("exit", "0"))
    said = f"{block} ended with {done.returncode}, not {expected}:\n{block.text}\n{done.stdout[-2000:]}\n{done.stderr}"
    assert done.returncode == expected, said
    return done.stdout
