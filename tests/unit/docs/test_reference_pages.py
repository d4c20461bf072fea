import json

import attrs
import pytest
from sphinx.errors import ExtensionError

from pulse_entrypoints.cli.commands import COMMANDS, Command
from pulse_entrypoints.cli.kinds import FLAG, PATH, TEXT, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import GROUPS, OPERANDS, WHERE, WORK
from pulse_reference import filled
from pulse_reference.commands import commands_page
from pulse_reference.markdown import fenced, plain, prose, table
from pulse_reference.schema import schema_page
from pulse_reference.settings import settings_page
from tests.integration.pages import ROOT

SCHEMA = json.loads((ROOT / "docs/result.schema.json").read_text(encoding="utf-8"))


@attrs.frozen(kw_only=True, slots=False)
class Settings:
    loud: bool = option(FLAG, WORK, "Say more_or_less.", default=False)
    colour: str = option(choice("red", "blue", metavar="COLOUR"), WHERE, "As --loud, but to see.", "red")
    place: str = option(PATH, OPERANDS, "Where.", operand=True, required=True)
    note: str = option(TEXT, WHERE, "A <b>note</b> | with *stars*.", environment="NOTE")


SHOW = Command(
    words=("runs", "show"),
    settings=f"{__name__}:Settings",
    run="module:show",
    help="Show a run.\n\nTry it:\n\n    pulse runs show here",
    epilogue="That is all.",
)
LIST = attrs.evolve(SHOW, words=("runs", "list"))


def test_a_command_has_usage_help_options_by_group_and_its_last_words():
    page = commands_page([SHOW])
    order = ["## pulse runs show", "pulse runs show PATH [OPTIONS]", "Show a run.", "pulse runs show here", "--place"]
    order += ["--colour", "--loud", "That is all."]
    places = [page.index(part) for part in order]
    assert places == sorted(places)


def test_an_option_shows_its_value_its_choices_and_its_default():
    page = commands_page([SHOW])
    assert "| `--colour COLOUR`<br>`red`, `blue` | As `--loud`, but to see. | red |" in page
    assert "| `--loud` | Say more\\_or\\_less. |  |" in page
    assert "| `PATH` or `--place PATH` | Where. | none: it must be given |" in page


def test_every_option_of_every_command_is_in_both_references():
    commands, settings = commands_page(COMMANDS), settings_page(COMMANDS)
    for command in COMMANDS:
        assert f"## {command.name}\n" in commands
        for each in command.options:
            assert f"`{each.flag}" in commands
            assert f"| `{each.flag}` | `{each.environment}` | `{each.name}` |" in settings


def test_a_setting_stands_once_with_all_the_commands_that_take_it():
    page = settings_page([SHOW, LIST])
    assert page.count("`NOTE`") == 1
    assert "| `--note` | `NOTE` | `note` | text | runs show, runs list |" in page


def test_settings_come_by_group_in_the_order_of_help():
    page = settings_page([SHOW])
    shown = [group for group in GROUPS if f"## {group}" in page]
    assert shown == [OPERANDS, WHERE, WORK]
    assert [page.index(f"## {group}") for group in shown] == sorted(page.index(f"## {group}") for group in shown)


def keys(schema):
    """Yield every key that the schema names, wherever it stands."""
    yield from schema.get("properties", {})
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    others = schema.get("additionalProperties")
    for one in [*inner, *([others] if isinstance(others, dict) else [])]:
        yield from keys(one)


def test_every_key_and_every_definition_of_the_result_is_on_its_page():
    page = schema_page(SCHEMA)
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert {row.rsplit(".", 1)[-1] for row in rows} >= set(keys(SCHEMA))
    assert all(f"## `{name}`" in page or name in rows for name in SCHEMA["$defs"])


def test_nested_keys_are_told_by_their_path_and_optional_ones_as_such():
    page = schema_page(SCHEMA)
    assert "| `units.planned` | `count` |" in page
    assert "| `nulls` | `nulls` | May be absent." in page


def test_text_of_the_code_is_never_taken_for_markup():
    assert plain("a <b>bold</b> | claim_of *mine*, `as_it_is`") == (
        "a \\<b\\>bold\\</b\\> \\| claim\\_of \\*mine\\*, `as_it_is`"
    )


def test_paragraphs_are_prose_and_indented_ones_are_blocks_that_are_only_shown():
    assert prose("One\nline.\n\n    pulse run") == f"One line.\n\n{fenced('pulse run')}"


def test_a_table_has_a_row_a_line():
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_page_gets_what_is_generated_in_its_place_and_keeps_the_rest():
    text = filled("# Title\n\n<!-- generated: commands -->\n\nEnd.")
    assert text.startswith("# Title\n\n## pulse ")
    assert text.endswith("\n\nEnd.")


def test_a_place_that_nobody_can_fill_stops_the_build():
    with pytest.raises(ExtensionError, match=r"comands.*commands, settings, result-schema"):
        filled("<!-- generated: comands -->")
