"""The documentation as it is built."""

import subprocess
import sys
from html.parser import HTMLParser

import pytest

from tests.integration.cli import environment
from tests.integration.pages import ROOT

pytestmark = pytest.mark.integration

LOADED = {"embed": "src", "iframe": "src", "img": "src", "link": "href", "script": "src", "source": "src"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    words = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", folder / "doctrees"]
    done = subprocess.run(
        [sys.executable, *words, ROOT / "docs", folder / "html"],
        env=environment(PYTHONWARNINGS="default", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Loads(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        if tag in LOADED:
            self.addresses.append(dict(attributes).get(LOADED[tag]) or "")


def test_no_page_loads_anything_from_elsewhere(built):
    for page in built.rglob("*.html"):
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert [address for address in loads.addresses if "//" in address] == [], page
    for style in built.rglob("*.css"):
        assert "url(http" not in style.read_text(encoding="utf-8"), style


def test_the_pages_hold_what_was_generated_from_the_code(built):
    assert "--batch-size-days" in (built / "reference/commands.html").read_text(encoding="utf-8")
    assert "PULSE_BATCH_SIZE_DAYS" in (built / "reference/settings.html").read_text(encoding="utf-8")
    assert "variables_hold" in (built / "reference/result-schema.html").read_text(encoding="utf-8")
    assert "batch_limit" in (built / "reference/api.html").read_text(encoding="utf-8")


def test_every_page_can_be_reached_from_the_first(built):
    first = (built / "index.html").read_text(encoding="utf-8")
    orphans = [
        page
        for page in (ROOT / "docs").rglob("*.md")
        if page.name != "index.md" and f"{page.relative_to(ROOT / 'docs').with_suffix('.html')}" not in first
    ]
    assert orphans == []
