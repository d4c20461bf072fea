"""README and docs are promises: every command and every Python block is run as it is written."""

import ast
import re

import pytest

from tests.integration.pages import MARKS, ROOT, RUN, SHOWN, blocks, furnish, pages, run_by, run_page

pytestmark = pytest.mark.integration

PAGES = pages()
README = ROOT / "README.md"


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path):
    furnish(tmp_path)
    return tmp_path


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", [page for page in PAGES if page != README and run_by(page) is None], ids=name_of)
def test_every_block_of_a_page_ends_as_the_page_says(page, folder):
    run_page(page, folder)


@pytest.mark.timeout(300)
def test_engines_and_slices_of_the_readme_give_one_digest(folder):
    printed = run_page(README, folder)
    (engines,) = [digests(output) for block, output in printed if "--backend" in block.text]
    (slices,) = [digests(output) for block, output in printed if "--slice" in block.text]
    assert len(engines) == 2
    assert {*engines, slices[-1]} == {engines[0]}


def digests(output):
    return re.findall(r'"digest": ?"(sha256:[0-9a-f]{64})"', output)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page):
    wrong = [str(block) for block in blocks(page) if block.language not in (*RUN, *SHOWN)]
    assert not wrong, f"give these blocks a language: {', '.join(RUN)} are run, {', '.join(SHOWN)} are only shown"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_mark_is_one_that_is_understood(page):
    marks = {mark for block in blocks(page) for mark in block.marks}
    assert marks <= set(MARKS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_says_is_run_elsewhere_is_run_there(page):
    named = [run_by(page), *(block.marks.get("run-by") for block in blocks(page))]
    for reference in filter(None, named):
        path, _, test = reference.partition("::")
        source = ROOT / path
        assert source.is_file(), f"{reference}: no such file"
        functions = {node.name for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{reference}: no such test"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_code_hides_from_the_tests_in_a_directive(page):
    assert not re.search(r"[`:~]{3,}\{(code|code-block|sourcecode)\}", page.read_text(encoding="utf-8"))


def test_the_benchmarks_that_pages_name_are_there():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    named = {name for text in texts for name in re.findall(r"benchmarks/(\w+\.py)", text)}
    assert named >= {"peers.py", "libraries.py"}
    assert all((ROOT / "benchmarks" / name).is_file() for name in named)
