"""README and docs are promises: every command and every Python block is run as it is written."""

import ast
import re

import pytest

from tests.integration.pages import MARKS, ROOT, RUN, SHOWN, blocks, furnish, pages, run_by, run_page

pytestmark = pytest.mark.integration

PAGES = pages()
SHARING = ROOT / "docs/how-to/share-the-work.md"
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path):
    furnish(tmp_path)
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in PAGES if page != SHARING and run_by(page) is None], ids=name_of)
def test_every_block_of_a_page_ends_as_the_page_says(page, folder):
    run_page(page, folder)


@pytest.mark.timeout(600)
def test_engines_and_slices_give_one_digest_as_their_page_says(folder):
    (engines, slices) = (digests(output) for _, output in run_page(SHARING, folder))
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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_to_a_file_that_is_there(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
