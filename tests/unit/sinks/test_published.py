"""Which spec a `result.json` is of."""

from __future__ import annotations

import json

import attrs
import pytest

from pulse_adapters.published import result_writer
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.spec_check import is_of_spec
from tests.results import run_result, spec


@pytest.fixture(params=[True, False], ids=["indented", "close"])
def content(request, monkeypatch) -> bytes:
    """A published document in either layout."""
    if not request.param:
        monkeypatch.setattr(result_writer, "COMPLETE_UP_TO", 0)
    return result_json(run_result())


def test_a_document_is_of_the_spec_it_was_published_for(content):
    assert is_of_spec(content, "nightly", spec())


@pytest.mark.parametrize("change", [{"horizon": 1}, {"trust_decay": 0.5}, {"variables": ("a", "b", "c")}], ids=str)
def test_a_document_is_of_no_other_spec(content, change):
    assert not is_of_spec(content, "nightly", spec(**change))


def test_a_document_that_begins_as_ours_is_not_read_on(content):
    assert is_of_spec(content[: content.index(b'"software"') + 20] + b"and not read", "nightly", spec())


def test_one_that_ends_within_the_spec_is_no_result(content):
    for length in range(content.index(b'"software"')):
        assert not is_of_spec(content[:length], "nightly", spec())


@pytest.mark.parametrize("layout", [{"indent": 1}, {"sort_keys": True}, {"separators": (" ,", ": ")}], ids=str)
def test_the_layout_does_not_matter(content, layout):
    assert is_of_spec(json.dumps(json.loads(content), **layout).encode(), "nightly", spec())
    assert not is_of_spec(json.dumps(json.loads(content), **layout).encode(), "nightly", spec(horizon=1))


def test_a_document_that_was_copied_from_another_run_tells_its_spec(content):
    assert is_of_spec(content, "another", spec())


def test_names_that_need_escaping_are_compared_as_they_are_written():
    odd = spec(variables=('a"b\\/', "ü", "a,b"))
    content = result_json(attrs.evolve(run_result(), spec=odd))
    assert is_of_spec(content, "nightly", odd)
    assert not is_of_spec(content, "nightly", spec(variables=('a"b\\/', "ü", "a,c")))


@pytest.mark.parametrize("content", [b"", b"{", b"{\n", b"[]", b'{"run": {"spec": 3}}', b"\xff\xfe"])
def test_what_is_no_document_is_of_no_spec(content):
    assert not is_of_spec(content, "nightly", spec())
