"""The rules of docs/contributing.md: a page that breaks its promise fails."""

import pytest

from tests.integration.pages import blocks, furnish, run_by, run_page

pytestmark = pytest.mark.integration


@pytest.fixture
def written(tmp_path):
    def write(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return page

    return write


@pytest.fixture
def folder(tmp_path):
    sandbox = tmp_path / "sandbox"
    sandbox.mkdir()
    furnish(sandbox)
    return sandbox


def printed(page, folder):
    return [output for _, output in run_page(page, folder)]


def test_blocks_run_in_order_and_share_a_folder(written, folder):
    page = written("```shell\necho 1 > made\n```\n\n```python\nprint(open('made').read())\n```\n")
    assert printed(page, folder) == ["", "1\n\n"]


@pytest.mark.parametrize(
    "block", ["```shell\nfalse\ntrue\n```", "```python\nraise SystemExit(3)\n```", "```shell\ncd $nowhere\n```"]
)
def test_a_block_that_fails_fails_its_page_and_is_named(written, folder, block):
    with pytest.raises(AssertionError, match=r"page\.md:3 ended with"):
        run_page(written(f"# Title\n\n{block}\n"), folder)


def test_a_block_may_have_to_fail(written, folder):
    assert printed(written("<!-- exit: 3 -->\n```shell\nexit 3\n```\n"), folder) == [""]
    with pytest.raises(AssertionError, match="ended with 0, not 3"):
        run_page(written("<!-- exit: 3 -->\n```shell\ntrue\n```\n"), folder)


def test_a_block_may_be_a_file(written, folder):
    page = written("<!-- file: a/b.txt -->\n```python\nthis is no Python\n```\n\n```shell\ncat a/b.txt\n```\n")
    assert printed(page, folder) == ["this is no Python\n"]


def test_an_exact_output_is_compared(written, folder):
    text = "```shell\necho one\n```\n\n<!-- output: exact -->\n```text\n{}\n```\n"
    assert printed(written(text.format("one")), folder) == ["one\n"]
    with pytest.raises(AssertionError, match="not what was printed"):
        run_page(written(text.format("two")), folder)


def test_make_is_asked_for_its_recipe_only_and_must_know_the_target(written, folder):
    assert printed(written("```shell\nmake test\n```\n"), folder) == [""]
    with pytest.raises(AssertionError, match="nonsense"):
        run_page(written("```shell\nmake nonsense\n```\n"), folder)


def test_a_mark_belongs_to_the_block_just_below_it_alone(written):
    page = written("<!-- exit: 1 -->\n\nText.\n\n```shell\ntrue\n```\n\n<!-- exit: 2 -->\n```shell\ntrue\n```\n")
    assert [block.marks for block in blocks(page)] == [{}, {"exit": "2"}]


def test_a_block_that_is_run_elsewhere_is_left_out(written, folder):
    assert printed(written("<!-- run-by: tests/a.py::test_b -->\n```shell\nfalse\n```\n"), folder) == []


def test_a_page_may_be_run_elsewhere_as_a_whole(written):
    assert run_by(written("# Title\n\n<!-- page-run-by: tests/a.py::test_b -->\n")) == "tests/a.py::test_b"
    assert run_by(written("# Title\n\n`<!-- page-run-by: tests/a.py::test_b -->`\n")) is None


def test_the_folder_has_the_data_and_the_commands_that_pages_take_for_granted(written, folder):
    page = written(
        "```shell\nwc -l < my_folder/sales.csv\ntest -x .venv/bin/pulse\ncommand -v pulse python > /dev/null\n```\n"
    )
    assert [output.strip() for output in printed(page, folder)] == ["73"]
