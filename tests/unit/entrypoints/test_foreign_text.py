"""What reaches people is plain and holds no secret, whoever wrote it and however it is encoded."""

from __future__ import annotations

import json
import re
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.plain_console import Plain
from pulse_entrypoints.cli.plain_text import plain_text

SECRET = 'wJalr/XUtn+FEMI=K7&MD \N{LATIN SMALL LETTER E WITH ACUTE}"n\\g'  # noqa: S105  # of nobody
MASK = Masker.of({"AWS_SECRET_ACCESS_KEY": SECRET})


def percent_encoded(secret: str, choose: list[bool]) -> str:
    return "".join(
        quote(character, safe="") if chosen else character for character, chosen in zip(secret, choose, strict=True)
    )


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
        quote(quote(SECRET, safe=""), safe=""),
        "".join(f"%{byte:02X}" for byte in SECRET.encode()),
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
        escape(SECRET),
    ],
)
def test_a_secret_is_masked_however_it_is_written(written) -> None:
    assert MASK(f"https://host/?key={written}&more=1") == "https://host/?key=***&more=1"


@given(st.lists(st.booleans(), min_size=len(SECRET), max_size=len(SECRET)))
def test_a_secret_is_masked_whichever_of_its_characters_are_encoded(choose) -> None:
    assert MASK(f"<{percent_encoded(SECRET, choose)}>") == "<***>"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("http://user:pass@host/path", "http://***@host/path"),
        ("http://user:p@ss@host/path", "http://***@host/path"),
        ("http%3A%2F%2Fuser%3Apass%40host%2Fpath", "http%3A%2F%2F***%40host%2Fpath"),
        ("http%3a%2f%2fuser:pa%23ss%40host", "http%3a%2f%2fuser:pa%23ss%40host"),
        ("http://host/path?mail=a@b", "http://host/path?mail=a@b"),
    ],
)
def test_the_user_of_an_address_is_masked(address, masked) -> None:
    assert MASK(address) == masked


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("one\rtwo\x08", "one\\rtwo\\x08"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\ud800", "\\ud800"),
        ("line\n\tnext caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{EN DASH} \u65e5\u672c", None),
    ],
)
def test_what_a_terminal_would_obey_is_an_escape(text, plain) -> None:
    assert plain_text(text) == (text if plain is None else plain)


@given(st.text())
def test_nothing_else_is_obeyed(text) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", plain_text(text))


def test_a_table_keeps_its_own_colours_and_none_of_its_cells() -> None:
    table = Table()
    table.add_column("variable")
    table.add_row(Text("a\x1b[31mb\x1b]0;t\x07", style="green"))
    console = Console(force_terminal=True, width=60, color_system="standard")
    with console.capture() as capture:
        console.print(Plain(table))
    shown = capture.get()
    assert "a\\x1b[31mb" in shown
    assert "\x1b[32m" in shown
    assert "\x1b[31m" not in shown
    assert "\x07" not in shown
