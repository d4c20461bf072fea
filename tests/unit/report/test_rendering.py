"""The page is one file that asks nothing of the outside, and names from data stay text."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

import attrs
import pytest

from pulse_adapters.published.document import ReliabilityBin
from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.figures.style import VARIABLES
from pulse_adapters.report.rendering import render
from tests.unit.report.runs import climb, trained, walk

NASTY = "a<script>alert(1)</script>\"'&</style>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return assemble_report(trained(tmp_path_factory.mktemp("results"), {"climb": climb(1), NASTY: walk(2)}), "r")


@pytest.fixture(scope="module")
def page(report):
    return render(report).decode()


class Reader(HTMLParser):
    """Reads elements with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self.in_script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.in_script = tag == "script"
        if self.in_script:
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script:
            found, text = self.scripts[-1]
            self.scripts[-1] = found, text + data
        else:
            self.text.append(data)


@pytest.fixture(scope="module")
def read(page):
    return Reader(page)


def test_nothing_is_asked_of_another_address(read) -> None:
    links = [
        value for _, found in read.found for name in ("src", "href", "action", "data") if (value := found.get(name))
    ]
    assert [link for link in links if not link.startswith("#")] == []
    (policy,) = [found["content"] for _, found in read.found if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy


def test_only_our_own_scripts_and_bokehs_may_run(read) -> None:
    (policy,) = [found["content"] for _, found in read.found if found.get("http-equiv") == "Content-Security-Policy"]
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    run = [text for found, text in read.scripts if "type" not in found]
    assert {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run} == allowed
    assert len(run) == 2


def test_names_from_data_are_text_wherever_they_stand(page, read) -> None:
    assert "alert(1)" in page
    assert NASTY in "".join(read.text)
    assert not [text for found, text in read.scripts if "alert(1)" in text]


def test_every_plot_has_a_text_for_who_cannot_see_it(read) -> None:
    plots = [found for _, found in read.found if found.get("role") == "img"]
    assert len(plots) > 15
    assert all(len(found["aria-label"] or "") > 30 for found in plots)


def test_packed_plots_unpack_to_one_for_each_place_and_use_known_colours_only(read) -> None:
    places = [found for _, found in read.found if "data-index" in found]
    packed = [text for found, text in read.scripts if found.get("type") == "application/octet-stream"]
    texts = [gzip.decompress(base64.b64decode(text)).decode() for text in packed]
    assert sum(len([json.loads(plot) for plot in json.loads(text)]) for text in texts) == len(places)
    colours = {one for text in texts for one in re.findall(r"#[0-9a-f]{6}", text)}
    assert {one for one in colours if one.startswith("#0a0")} <= set(VARIABLES)


def test_every_variable_of_the_styles_is_set_for_light_and_dark(page) -> None:
    light, dark = re.findall(r":root(?:\[data-theme=\"dark\"\])? \{(.*?)\}", page, flags=re.DOTALL)[:2]
    for name in VARIABLES.values():
        assert f"{name}:" in light
        assert f"{name}:" in dark


def test_it_is_small(page) -> None:
    without_plots = re.sub(r'octet-stream" id="[^"]*">[^<]*', "", page)
    packed = (len(page) - len(without_plots)) / 3
    assert len(without_plots) + 21 * packed < 3_000_000


def test_a_run_without_any_variable_still_has_its_page(report) -> None:
    empty = attrs.evolve(report, rows=(), details=(), variables=0)
    assert "No variable could be trained." in render(empty).decode()


def test_cautions_and_trusts_that_did_not_come_true_are_shown(report) -> None:
    off = ReliabilityBin(1, 0.6, 0.7, 300, 40, 0.65, 0.2, -0.6, -0.3, bad=True)
    page = render(attrs.evolve(report, reliability=(off,), cautions=(f"{NASTY} trends",))).decode()
    assert '<p class="notice">a&lt;script&gt;' in page
    assert "<td>off</td>" in page
    assert "20% came true." in page


def test_a_run_too_young_to_tell_whether_trust_came_true_says_so(report) -> None:
    assert "No trust is old enough to tell" in render(attrs.evolve(report, reliability=())).decode()
